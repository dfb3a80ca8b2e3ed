"""Many names at once, and what is known of each without reading its value."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dash_brain import codec, errors
from dash_brain.brain import Brain
from dash_brain.errors import EncodeError, StoreFull, ValueMissing
from dash_brain.stores import FileStore
from dash_brain.testing import Clock


def test_many_are_learned_and_recalled_at_once(brain):
    things = {"a": 1, "b": None, "c": np.arange(100_000)}
    learned = brain.learn_many(things)
    assert learned == brain.object_ids()
    recalled = brain.recall_many(iter(["c", "a"]))
    assert list(recalled) == ["c", "a"]
    assert recalled["a"] == 1
    assert (recalled["c"] == things["c"]).all()


def test_none_of_many_is_learned_when_one_cannot_be_stored(brain):
    with pytest.raises(EncodeError):
        brain.learn_many({"a": 1, "b": lambda: None})
    assert brain.names() == []


def test_missing_name_among_many_is_a_miss(brain):
    brain["a"] = 1
    with pytest.raises(ValueMissing, match="'b'"):
        brain.recall_many(["a", "b"])


def test_many_live_as_long_as_it_is_said(tmp_path):
    clock = Clock()
    brain = Brain(store=FileStore(tmp_path, clock=clock), ttl=10)
    brain.learn_many({"a": 1})
    brain.learn_many({"b": 1}, ttl=100)
    clock.advance(11)
    assert brain.names() == ["b"]


def test_metadata_of_one_name_is_flat(tmp_path):
    clock = Clock(1000.0)
    brain = Brain("orders", store=FileStore(tmp_path, clock=clock))
    object_id = brain.learn("a", [1], "some numbers", ttl=60)
    clock.advance(1)
    assert (
        brain.metadata("a")
        == brain.metadata("a", output="list")
        == {
            "name": "a",
            "namespace": "orders",
            "description": "some numbers",
            "type": codec.type_name([1]),
            "object_id": object_id,
            "nbytes": brain.metadata("a")["nbytes"],
            "created": 1000.0,
            "used": 1000.0,
            "expires": 1060.0,
        }
    )
    assert brain.metadata("a")["nbytes"] > 0


def test_value_without_description_or_ttl_has_an_empty_one_and_never_expires(brain):
    brain["a"] = 1
    assert brain.metadata("a")["description"] == ""
    assert brain.metadata("a")["expires"] is None


def test_metadata_of_several_names_comes_by_name_or_as_a_list(brain):
    brain.learn_many({"b": 2, "a": 1, "c": 3})
    a, b, c = (brain.metadata(name) for name in "abc")
    assert brain.metadata("c", "a") == {"c": c, "a": a}
    assert brain.metadata("c", "a", output="list") == [c, a]
    assert brain.metadata() == brain.knowledge() == {"a": a, "b": b, "c": c}
    assert brain.metadata(output="list") == [a, b, c]


def test_metadata_of_nothing_is_empty(brain):
    assert brain.metadata() == brain.knowledge() == brain.object_ids() == {}
    assert brain.metadata(output="list") == brain.ids() == []


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("b", "a")])
def test_metadata_of_a_missing_name_is_a_miss(brain, names):
    brain["b"] = 1
    with pytest.raises(ValueMissing, match="'a'"):
        brain.metadata(*names)


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b")])
def test_metadata_in_another_form_is_refused(brain, names):
    with pytest.raises(TypeError, match="'tuple'"):
        brain.metadata(*names, output="tuple")


def test_another_value_has_another_object_id(brain):
    first = brain.learn("a", 1)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert brain.object_id("a") == first
    assert brain.learn("a", 1) != first
    with pytest.raises(ValueMissing):
        brain.object_id("b")


def test_ids_are_those_of_the_current_namespace_in_order_of_names(brain):
    brain.view("other")["a"] = 1
    brain.learn_many({"b": 1, "a": 2})
    assert brain.ids() == [brain.object_id("a"), brain.object_id("b")]
    assert brain.object_ids() == dict(zip("ab", brain.ids(), strict=True))


def test_no_value_is_read_for_what_is_known_of_it(brain, monkeypatch):
    brain["a"] = 1
    monkeypatch.setattr(codec, "decode", lambda _: pytest.fail("read the value"))
    assert "a" in brain.knowledge()


def test_name_forgotten_meanwhile_is_passed_over(brain, monkeypatch):
    brain.learn_many({"a": 1, "b": 2})
    monkeypatch.setattr(Brain, "__iter__", lambda self: iter(["a", "gone", "b"]))
    assert list(brain.knowledge()) == ["a", "b"]


BRAIN_PLASMA = [
    "BrainNamespaceNameError",
    "BrainNamespaceNotExistError",
    "BrainNamespaceRemoveDefaultError",
    "BrainNameNotExistError",
    "BrainNameLengthError",
    "BrainNameTypeError",
    "BrainClientDisconnectedError",
    "BrainRemoveOldNameValueError",
    "BrainLearnNameError",
    "BrainUpdateNameError",
]


@pytest.mark.parametrize("name", BRAIN_PLASMA)
def test_errors_that_brain_plasma_users_catch_are_there(name):
    assert issubclass(getattr(errors, name), errors.BrainError)


def test_missing_name_is_caught_under_its_old_name(brain):
    with pytest.raises(errors.BrainNameNotExistError):
        brain["a"]


@pytest.mark.parametrize("error", [EncodeError, StoreFull])
def test_value_that_is_not_learned_is_caught_under_its_old_names(error):
    assert issubclass(error, errors.BrainLearnNameError)
    assert issubclass(error, errors.BrainUpdateNameError)
