"""Near copies of what lies in a store beyond a network."""

from __future__ import annotations

import contextvars
import logging
import multiprocessing
import os
import shutil
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore, MemoryStore, NearCopy
from dash_brain.stores.near_copy import SMALL
from dash_brain.stores.near_copy.habits import Habits
from dash_brain.testing import (
    BoundedContract,
    LocksContract,
    ScansContract,
    SharedContract,
    StoreContract,
    plain,
)
from tests.processes import FORKSERVER
from tests.stores.far import FarFolder
from tests.stores.places import damage, everything, file_of, near_of
from tests.stores.test_contract import OwnClock

LARGE = b"x" * (2 * SMALL)
SPACE = "brain/near"


def open_near(folder, host="near", **clock):
    return NearCopy(FarFolder(folder, **clock), FileStore(folder, host, **clock), **clock)


class TestNearCopy(OwnClock, StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
    @pytest.fixture
    def store(self, tmp_path, clock):
        return open_near(tmp_path, clock=clock)

    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(open_near, tmp_path)


class TestTwoHosts(OwnClock, StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
    """The other openers are on another host."""

    @pytest.fixture
    def store(self, tmp_path, clock):
        return open_near(tmp_path, clock=clock)

    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(open_near, tmp_path, "other")


@pytest.fixture
def store(tmp_path):
    return open_near(tmp_path)


@pytest.fixture
def other(tmp_path):
    """The same store on another host."""
    return open_near(tmp_path, "other")


def asked(store):
    """Return the questions for values that the far store was asked since the last time."""
    store.wrapped.asked, said = [], store.wrapped.asked
    return [verb for verb in said if verb in ("look", "fetch", "get", "info", "exists")]


def copies(store):
    return {name for name in everything(near_of(store)) if name.startswith("near/") and name.count("/") == 2}


def test_value_is_fetched_once_on_each_host(store, other):
    store.put(SPACE, "key", [LARGE])
    assert plain(other.get(SPACE, "key")) == [LARGE]
    assert asked(other) == ["look", "fetch"]
    for _ in range(2):
        assert plain(other.get(SPACE, "key")) == [LARGE]
    assert asked(other) == ["look", "look"]


def test_value_is_near_at_once_where_it_was_written(store):
    store.put(SPACE, "key", [LARGE, b"tail"])
    assert plain(store.get(SPACE, "key")) == [LARGE, b"tail"]
    assert asked(store) == ["look"]


def test_small_value_comes_along_and_has_no_copy(store, other):
    store.put(SPACE, "key", [b"small"])
    assert plain(other.get(SPACE, "key")) == [b"small"]
    assert asked(other) == ["look"]
    assert copies(store) == copies(other) == set()


def test_value_that_was_replaced_elsewhere_is_fetched_anew(store, other):
    store.put(SPACE, "key", [LARGE])
    other.put(SPACE, "key", [LARGE, b"new"])
    assert plain(store.get(SPACE, "key")) == [LARGE, b"new"]
    assert asked(store) == ["look", "fetch"]
    assert len(copies(store)) == 1


@pytest.mark.parametrize("fate", ["delete", "drop", "put"])
def test_value_that_is_gone_elsewhere_is_a_miss_which_drops_the_copy(store, other, fate):
    store.put(SPACE, "key", [LARGE])
    if fate == "delete":
        other.delete(SPACE, "key")
    elif fate == "drop":
        other.drop(SPACE)
    else:
        other.put(SPACE, "key", [b"short"], ttl=0)
    for verb in (store.get, partial(store.touch, ttl=5)):
        with pytest.raises(ValueMissing, match="'key'"):
            verb(SPACE, "key")
    assert copies(store) == set()


def test_touch_that_finds_nothing_drops_the_copies(store, other):
    for key in ("one", "two", "three"):
        store.put(SPACE, key, [LARGE])
    for key in ("one", "two"):
        other.delete(SPACE, key)
    with pytest.raises(ValueMissing):
        store.touch(SPACE, "one", 5)
    assert store.touch_many(SPACE, ["two", "three"], 5) == {"two"}
    assert len(copies(store)) == 1


@pytest.mark.parametrize("end", ["delete", "drop"])
def test_what_is_removed_here_leaves_no_copy(store, end):
    store.put(SPACE, "key", [LARGE])
    store.delete(SPACE, "key") if end == "delete" else store.drop(SPACE)
    assert copies(store) == set()


def test_delete_of_another_object_leaves_the_copy(store):
    store.put(SPACE, "key", [LARGE])
    assert not store.delete(SPACE, "key", object_id="0" * 32)
    assert len(copies(store)) == 1


def test_copy_may_be_lost_at_any_time(store):
    store.put(SPACE, "key", [LARGE])
    shutil.rmtree(near_of(store).place)
    assert plain(store.get(SPACE, "key")) == [LARGE]
    assert asked(store) == ["look", "fetch"]
    assert plain(store.get(SPACE, "key")) == [LARGE]
    assert asked(store) == ["look"]


def test_copies_evict_each_other_and_no_value(tmp_path):
    store = NearCopy(FarFolder(tmp_path), FileStore(tmp_path, "near", size=1_000_000))
    for number in range(12):
        store.put(SPACE, str(number), [b"%d" % number * 200_000])
    assert 0 < len(copies(store)) < 6
    for number in range(12):
        assert plain(store.get(SPACE, str(number))) == [b"%d" % number * 200_000]
    assert near_of(store).usage() <= 1_000_000


def test_value_larger_than_the_near_store_is_read_all_the_same(tmp_path, caplog):
    store = NearCopy(FarFolder(tmp_path), FileStore(tmp_path, "near", size=1_000_000))
    for _ in range(2):
        store.put(SPACE, "key", [b"x" * 2_000_000])
        assert plain(store.get(SPACE, "key")) == [b"x" * 2_000_000]
    assert [one.levelno for one in caplog.records] == [logging.WARNING]
    assert "no room" in caplog.text


def test_near_store_that_cannot_be_opened_costs_no_value(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    store = NearCopy(FarFolder(tmp_path), FileStore(tmp_path / "file"))
    store.put(SPACE, "key", [LARGE])
    assert plain(store.get(SPACE, "key")) == [LARGE]
    assert store.touch_many(SPACE, ["key"], 5) == set()
    assert store.delete(SPACE, "key")
    store.drop(SPACE)
    assert store.sweep() == 0
    assert len(caplog.records) == 1


@pytest.mark.parametrize("place", ["stream", "object id"])
def test_copy_that_was_changed_on_the_disk_is_fetched_anew(store, place):
    store.put(SPACE, "key", [LARGE])
    damage(file_of(near_of(store), "near"), at=-8 if place == "object id" else SMALL)
    for questions in (["look", "fetch"], ["look"]):
        assert plain(store.get(SPACE, "key")) == [LARGE]
        assert asked(store) == questions


def test_of_many_readers_on_a_host_one_fetches(tmp_path, other):
    other.put(SPACE, "key", [LARGE * 20])
    with FORKSERVER.Pool(4) as pool:
        fetched = pool.map(_read_with_4_threads, [tmp_path] * 4)
    assert sum(fetched) == 1


def _read_with_4_threads(folder):
    store = open_near(folder)
    threads = [threading.Thread(target=store.get, args=(SPACE, "key")) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return store.wrapped.asked.count("fetch")


def test_copy_lives_no_longer_than_its_original(store, other):
    store.put(SPACE, "key", [LARGE], ttl=100)
    other.get(SPACE, "key")
    for one in (store, other):
        info = near_of(one).info(f"near/{SPACE}", "key")
        assert info.expires <= one.info(SPACE, "key").expires + 1
    store.touch(SPACE, "key", 1000)
    info = near_of(store).info(f"near/{SPACE}", "key")
    assert info.expires == pytest.approx(store.info(SPACE, "key").expires, abs=5)


def test_what_is_asked_for_ahead_takes_one_round_trip(store):
    store.put(SPACE, "key", [LARGE])
    store.put(SPACE, "small", [b"small"])
    asked(store)
    store.look_ahead([("closed/sessions", "me"), (SPACE, "key"), (SPACE, "small"), (SPACE, "none")])
    assert store.exists("closed/sessions", "me") is False
    assert store.info(SPACE, "key").nbytes >= len(LARGE)
    assert plain(store.get(SPACE, "key")) == [LARGE]
    assert plain(store.get(SPACE, "small")) == [b"small"]
    assert asked(store) == ["look"]


def test_answer_is_used_once(store, other):
    store.put(SPACE, "key", [LARGE])
    store.look_ahead([(SPACE, "key")])
    store.get(SPACE, "key")
    other.delete(SPACE, "key")
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")


@pytest.mark.parametrize("change", ["put", "delete", "drop", "touch", "over"])
def test_answer_does_not_outlive_what_it_is_about(store, change):
    store.put(SPACE, "key", [LARGE], ttl=1000)
    store.look_ahead([(SPACE, "key"), (SPACE, "other")])
    if change == "put":
        store.put(SPACE, "key", [b"new"])
        assert plain(store.get(SPACE, "key")) == [b"new"]
    elif change == "touch":
        store.touch(SPACE, "key", 50)
        assert store.info(SPACE, "key").expires < store.info(SPACE, "key").created + 60
    elif change == "over":
        store.look_ahead([])
        assert store.get(SPACE, "key")
        assert asked(store) == ["look", "look"]
    else:
        store.delete(SPACE, "key") if change == "delete" else store.drop(SPACE)
        with pytest.raises(ValueMissing):
            store.get(SPACE, "key")


def test_answers_are_those_of_the_thread_that_asked(store, other):
    store.put(SPACE, "key", [LARGE])
    store.look_ahead([(SPACE, "key")])
    other.delete(SPACE, "key")
    raised = []

    def read():
        try:
            store.get(SPACE, "key")
        except ValueMissing as error:
            raised.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert raised


def test_answers_end_with_the_request_also_in_what_it_started(store, other):
    store.put(SPACE, "key", [LARGE])
    store.look_ahead([(SPACE, "key")])
    started = contextvars.copy_context()
    store.look_ahead([])
    other.delete(SPACE, "key")
    with pytest.raises(ValueMissing):
        started.run(store.get, SPACE, "key")


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_forked_child_asks_for_itself(store, other):
    store.put(SPACE, "key", [LARGE])
    store.look_ahead([(SPACE, "key")])
    other.delete(SPACE, "key")
    child = multiprocessing.get_context("fork").Process(target=_misses, args=(store,))
    child.start()
    child.join(30)
    assert child.exitcode == 0


def _misses(store):
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")


def test_a_store_that_cannot_look_has_no_near_copies():
    with pytest.raises(TypeError, match="MemoryStore"):
        NearCopy(MemoryStore(), MemoryStore())


def test_other_stores_have_nothing_to_look_ahead_for(tmp_path):
    store = FileStore(tmp_path)
    store.put(SPACE, "key", [LARGE])
    before = everything(store)
    store.look_ahead([(SPACE, "key"), (SPACE, "none")])
    assert everything(store) == before
    assert plain(store.get(SPACE, "key")) == [LARGE]


@pytest.fixture
def unused(tmp_path):
    """The folder of near copies of an address that was used two hours ago."""
    store = FileStore(tmp_path, "near-0123456789abcdef")
    store.put("near/brain/a", "key", [b"x"])
    store.close()
    folder = Path(store.place)
    ago(folder, 2 * 3600)
    return folder


def ago(folder, seconds):
    """Let the store of a folder have been swept so long ago."""
    then = time.time() - seconds
    os.utime(folder / "key", (then, then))


def test_near_copies_of_an_address_that_nobody_uses_any_more_are_swept_by_any_store(unused):
    FileStore(unused.parent.parent, "default").sweep()
    assert not unused.exists()


def test_near_copies_that_are_used_or_may_live_are_left_alone(unused):
    ago(unused, 1800)
    FileStore(unused.parent.parent, "default").sweep()
    assert unused.exists()
    ago(unused, 2 * 3600)
    user = FileStore(unused.parent.parent, "near-0123456789abcdef")
    assert plain(user.get("near/brain/a", "key")) == [b"x"]
    FileStore(unused.parent.parent, "default").sweep()
    assert plain(user.get("near/brain/a", "key")) == [b"x"]
    user.close()


@pytest.mark.parametrize("name", ["near-mine", "near-0123456789abcdeg", "nearby"])
def test_other_stores_are_left_alone(unused, name):
    other = unused.rename(unused.with_name(unused.name.replace("near-0123456789abcdef", name)))
    FileStore(unused.parent.parent, "default").sweep()
    assert other.exists()


def test_results_are_asked_for_along_with_what_was_asked_before_them(tmp_path):
    store = open_near(tmp_path)
    for place in (("recipes/app", "record"), ("memo/app", "result"), (SPACE, "name")):
        store.put(*place, [b"x"], ttl=3600)
    for looks in (3, 1, 1):
        store.wrapped.asked.clear()
        store.look_ahead([("closed/sessions", "me")])
        assert plain(store.get("recipes/app", "record")) == plain(store.get("memo/app", "result")) == [b"x"]
        store.touch("recipes/app", "record", 3600)
        assert store.wrapped.asked == ["look"] * looks
        assert plain(store.get(SPACE, "name")) == [b"x"]
        assert store.wrapped.asked == ["look"] * (looks + 1), "a function reads what is there now"
        store.look_ahead(())


def test_life_that_is_to_be_another_is_set_whatever_is_known(tmp_path):
    store = open_near(tmp_path)
    for ttl, new in ((None, 3600), (3600, None), (3600, 60), (3000, 3600), (60, 60), (3600, 3300)):
        store.put(SPACE, "key", [b"x"], ttl=ttl)
        store.look_ahead([(SPACE, "key")])
        store.wrapped.asked.clear()
        store.touch(SPACE, "key", new)
        assert store.wrapped.asked == ["touch"]
        store.touch(SPACE, "key", new)
        assert store.wrapped.asked == ["touch"] * 2, "what it said before was changed"
    store.look_ahead(())


def test_object_that_was_put_again_in_the_request_is_touched(tmp_path):
    store = open_near(tmp_path)
    store.put(SPACE, "key", [b"x"], ttl=3600)
    store.look_ahead([(SPACE, "key")])
    store.put(SPACE, "key", [b"x"], ttl=3600)
    store.wrapped.asked.clear()
    store.touch(SPACE, "key", 3600)
    assert store.wrapped.asked == ["touch"]
    store.look_ahead(())


def test_habits_are_bounded_in_number_and_size():
    habits = Habits()
    for number in range(1200):
        for other in range(20):
            habits.note((("closed/sessions", str(number)),), ("memo/app", str(other)))
    assert len(habits._after) == 1000
    last = habits.with_those_after([("closed/sessions", "1199")])
    assert last == [("closed/sessions", "1199"), *(("memo/app", str(other)) for other in range(12, 20))]
    assert habits.with_those_after([("closed/sessions", "0")]) == [("closed/sessions", "0")]
    habits.note((), ("memo/app", "key"))
    habits.note((("closed/sessions", "1199"),), ("brain/default", "name"))
    assert habits.with_those_after([("closed/sessions", "1199")]) == last
