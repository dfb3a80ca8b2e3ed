"""A Brain is a dictionary that processes share."""

from __future__ import annotations

import errno
import os
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_brain import codec
from dash_brain.brain import Brain
from dash_brain.brain.described import DescribedValues
from dash_brain.errors import (
    BrainError,
    BrainNamespaceNameError,
    BrainNameTypeError,
    DecodeError,
    EncodeError,
    StoreFull,
    StoreURLError,
    ValueMissing,
)
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.testing import Clock
from tests.brain.workers import read_value
from tests.processes import FORKSERVER
from tests.stores.places import file_of
from tests.stores.test_hostile import plant


def test_it_is_a_mapping_of_names(brain):
    assert isinstance(brain, MutableMapping)
    brain["a"] = "text"
    brain["a"] = 5
    brain["b"] = None
    assert brain["a"] == 5
    assert brain["b"] is None
    assert "b" in brain
    assert "c" not in brain
    assert len(brain) == 2
    assert sorted(brain) == ["a", "b"]
    del brain["a"]
    assert list(brain) == ["b"]


def test_keys_values_and_items_are_those_of_a_dictionary(brain):
    content = {"a": 1, "b": [2], "c": {"d": 3}}
    brain.update(content)
    assert brain.keys() == content.keys()
    assert sorted(brain.items()) == sorted(content.items())
    assert [2] in brain.values()
    assert 4 not in brain.values()
    assert ("a", 1) in brain.items()
    assert ("a", 2) not in brain.items()
    assert dict(brain) == content
    assert brain == content
    assert len(brain.values()) == len(brain.items()) == 3


def test_missing_name_is_a_key_error_and_never_none(brain):
    for ask in (
        lambda: brain["a"],
        lambda: brain.recall("a"),
        lambda: brain.pop("a"),
        lambda: brain.popitem(),
    ):
        with pytest.raises(ValueMissing):
            ask()
    with pytest.raises(KeyError):
        del brain["a"]
    assert brain.get("a") is None
    assert brain.get("a", 7) == 7
    assert brain.pop("a", 8) == 8
    brain.forget("a")
    assert not brain.exists("a")


def test_pop_and_popitem_take_a_value_away(brain):
    brain.update(a=1, b=None)
    assert brain.pop("a") == 1
    assert brain.popitem() == ("b", None)
    assert len(brain) == 0


def test_setdefault_keeps_what_is_there(brain):
    assert brain.setdefault("a", 1) == 1
    assert brain.setdefault("a", 2) == 1
    assert brain.setdefault("none") is None
    assert brain["none"] is None


def test_clear_forgets_one_namespace(brain):
    other = brain.view("other")
    brain["a"] = other["a"] = 1
    brain.clear()
    assert not brain
    assert other["a"] == 1


def test_learn_recall_forget_exists(brain):
    object_id = brain.learn("df", pd.DataFrame({"x": [1, 2]}), "two rows")
    assert len(object_id) == 32
    pd.testing.assert_frame_equal(brain.recall("df"), pd.DataFrame({"x": [1, 2]}))
    assert brain.exists("df")
    assert brain.names() == ["df"]
    brain.forget("df")
    assert not brain.exists("df")
    assert brain.names() == []


def test_type_and_description_are_kept_with_the_value(brain, store):
    brain.learn("a", [1], "some numbers")
    brain["b"] = pd.Series([1.0])
    assert store.info("brain/default", "a").meta == {
        "type": codec.type_name([1]),
        "description": "some numbers",
    }
    assert store.info("brain/default", "b").meta == {"type": codec.type_name(pd.Series([1.0]))}


USES = {
    "get": lambda brain, name: brain[name],
    "set": lambda brain, name: brain.__setitem__(name, 1),
    "del": lambda brain, name: brain.__delitem__(name),
    "in": lambda brain, name: name in brain,
    "pop": lambda brain, name: brain.pop(name),
    "learn": lambda brain, name: brain.learn(name, 1),
    "recall": lambda brain, name: brain.recall(name),
    "forget": lambda brain, name: brain.forget(name),
    "exists": lambda brain, name: brain.exists(name),
    "get_or_learn": lambda brain, name: brain.get_or_learn(name, int),
    "learn_many": lambda brain, name: brain.learn_many({name: 1}),
    "recall_many": lambda brain, name: brain.recall_many([name]),
    "metadata": lambda brain, name: brain.metadata(name),
    "object_id": lambda brain, name: brain.object_id(name),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", [5, None, b"a", ("a",)])
def test_name_that_is_no_string_is_refused(brain, use, name):
    with pytest.raises(BrainNameTypeError, match=type(name).__name__):
        USES[use](brain, name)


@pytest.mark.parametrize("name", ["", "a/b", "..", "\0", "ä" * 300, "\ud800", "A", "a" * 10_000])
def test_name_is_any_string(brain, name):
    brain[name] = 1
    assert brain[name] == 1
    assert brain.names() == [name]


def test_namespaces_are_apart_and_no_prefix_of_each_other(brain):
    alpha, alphabet = brain.view("alpha"), brain.view("alphabet")
    alpha["a"] = 1
    alphabet["b"] = 2
    assert (alpha.names(), alphabet.names(), brain.names()) == (["a"], ["b"], [])
    assert (alpha.namespace, brain.namespace) == ("alpha", "default")


@pytest.mark.parametrize("namespace", ["x", "a" * 255, "ä" * 127, "With space/and slash", ".."])
def test_namespace_has_1_to_255_bytes(store, namespace):
    brain = Brain(namespace, store=store)
    brain["a"] = 1
    assert list(store.namespaces("brain")) == [f"brain/{namespace}"]


@pytest.mark.parametrize("namespace", ["", "a" * 256, "ä" * 128, 5, None])
def test_other_namespaces_are_refused(namespace):
    with pytest.raises(BrainNamespaceNameError):
        Brain(namespace, store=MemoryStore())


def test_place_is_given_once(tmp_path):
    with pytest.raises(TypeError):
        Brain(url="memory://", path=tmp_path)
    with pytest.raises(StoreURLError):
        Brain(url="http://localhost")


def test_path_is_short_for_a_folder_that_is_made(tmp_path):
    Brain(path=tmp_path / "new")["a"] = 1
    assert Brain(path=str(tmp_path / "new"))["a"] == 1
    assert Brain(url=f"file://{tmp_path}/new")["a"] == 1


@pytest.fixture
def _unconfigured():
    current.forget()
    yield
    current.forget()


@pytest.mark.usefixtures("_unconfigured")
def test_names_lie_where_configure_says(tmp_path):
    configure(f"file://{tmp_path}")
    Brain()["a"] = 1
    assert Brain(path=tmp_path)["a"] == 1


@pytest.mark.usefixtures("_unconfigured")
def test_names_lie_in_shared_memory_unless_said_otherwise(monkeypatch):
    monkeypatch.delenv("DASH_BRAIN_STORE")
    assert repr(Brain()) == "Brain('default', store=SharedMemoryStore('default'))"


def test_time_to_live_is_that_of_the_brain_unless_learn_says_otherwise(tmp_path):
    clock = Clock()
    brain = Brain(store=FileStore(tmp_path, clock=clock), ttl=10)
    brain["short"] = 1
    brain.learn("long", 1, ttl=100)
    brain.view("other")["short"] = 1
    clock.advance(11)
    assert brain.names() == ["long"]
    assert brain.view("other").names() == []


def test_value_that_cannot_be_stored_leaves_the_old_one(brain):
    brain["a"] = "old"
    with pytest.raises(EncodeError):
        brain["a"] = lambda: None
    assert brain["a"] == "old"


def test_store_that_is_full_leaves_the_old_value(tmp_path, monkeypatch):
    brain = Brain(path=tmp_path)
    brain["a"] = "old"

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(StoreFull):
        brain["a"] = "new"
    monkeypatch.undo()
    assert brain["a"] == "old"


def test_names_that_vanish_meanwhile_are_passed_over(brain):
    brain.update({str(number): number for number in range(10)})
    for _ in brain.items():
        brain.clear()
    brain.update({str(number): number for number in range(10)})
    values = iter(brain.values())
    next(values)
    brain.clear()
    assert list(values) == []


def test_of_many_who_pop_a_name_one_gets_it(brain):
    for _ in range(20):
        brain["a"] = "prize"
        with ThreadPoolExecutor(4) as pool:
            taken = [turn.result() for turn in [pool.submit(brain.pop, "a", None) for _ in range(4)]]
        assert sorted(taken, key=str) == [None, None, None, "prize"]


def test_every_reader_has_a_value_of_its_own(brain):
    brain["list"] = [1, [2]]
    brain["array"] = np.arange(200_000)
    brain["list"][1].append(3)
    brain["array"][:] = 0
    assert brain["list"] == [1, [2]]
    assert brain["array"].sum() == np.arange(200_000).sum()


def test_reader_keeps_what_it_holds(brain):
    brain["array"] = np.arange(200_000)
    held = brain["array"]
    brain["array"] = np.zeros(10)
    brain.clear()
    assert (held == np.arange(200_000)).all()


def test_no_byte_is_decoded_before_it_was_verified(tmp_path, monkeypatch):
    brain = Brain(path=tmp_path)
    brain["a"] = {"x": [1, 2, 3]}
    file = file_of(FileStore(tmp_path))
    raw = file.read_bytes()

    def never(_):
        raise AssertionError("decoded what was not authentic")

    monkeypatch.setattr(codec, "decode", never)
    for bit in range(len(raw) * 8):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        plant(file, damaged)
        with pytest.raises(DecodeError):
            brain["a"]


def test_value_is_read_by_another_process(tmp_path):
    frame = pd.DataFrame(
        {"x": np.arange(100_000.0), "day": pd.date_range("2024", periods=100_000, freq="min")}
    )
    Brain(path=tmp_path)["frame"] = frame
    with FORKSERVER.Pool(1) as pool:
        pd.testing.assert_frame_equal(pool.apply(read_value, (tmp_path, "frame")), frame)


def test_names_in_another_domain_are_a_mapping_too(store):
    names = DescribedValues(store, "session-names/abc", ttl=60)
    names["a"] = 1
    assert dict(names) == {"a": 1}
    assert list(Brain(store=store)) == []


def test_errors_are_all_of_one_tree():
    for error in (BrainNameTypeError, BrainNamespaceNameError, ValueMissing, EncodeError):
        assert issubclass(error, BrainError)


VALUES = st.integers() | st.text() | st.lists(st.floats(allow_nan=False))


@given(st.dictionaries(st.text(max_size=30), VALUES))
def test_it_equals_the_dictionary_it_was_updated_with(content):
    brain = Brain(store=MemoryStore())
    brain.update(content)
    assert brain == content
