"""A miss says what happened, where the store remembers."""

from __future__ import annotations

import gc
import mmap
import os
import pickle
import random
from collections import Counter

import pytest

from dash_brain import Brain
from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.stores.faults import Tombstone
from dash_brain.stores.mapped.space import tombstones
from dash_brain.stores.mapped.space.tombstones import SIZE, Tombstones
from dash_brain.stores.mapped.system import locks as kernel_locks
from dash_brain.testing import Clock
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import place
from tests.stores.test_quota import _CALLS, counting

SPACE = "brain/gone"


@pytest.fixture(params=["files", "fallback", "memory"])
def remembering(request, tmp_path):
    clock = Clock(4e9)  # long after the store was made
    if request.param == "memory":
        return MemoryStore(clock=clock), clock
    return {"files": FileStore, "fallback": FallbackStore}[request.param](tmp_path, clock=clock), clock


def miss(store, key="prices", ask="get"):
    with pytest.raises(ValueMissing) as caught:
        getattr(store, ask)(SPACE, key, *([5] if ask == "touch" else []))
    return caught.value


@pytest.mark.parametrize("ask", ["get", "info", "touch"])
def test_evicted_value_says_so_with_size_age_and_what_to_raise(remembering, ask):
    store, clock = remembering
    store.resize(1_000_000)
    store.put(SPACE, "prices", [bytes(600_000)], ttl=1e5)
    clock.advance(180)
    store.put(SPACE, "new", [bytes(600_000)], ttl=1e5)
    clock.advance(12)
    error = miss(store, ask=ask)
    assert error.reason == "evicted"
    assert str(error).startswith("'prices' was evicted 12 s ago to make room (60")
    assert "KB, 3 minutes old)" in str(error)
    for setting in ("?size=", "Brain.resize()", "--shm-size"):
        assert setting in str(error)
    assert "quota" not in str(error)


@pytest.mark.parametrize("removed_by", ["reading", "sweep", "room"])
def test_expired_value_says_so_whoever_removed_it(remembering, removed_by):
    store, clock = remembering
    store.resize(1_000_000)
    store.put(SPACE, "prices", [bytes(600_000)], ttl=60)
    clock.advance(70)
    if removed_by == "sweep":
        store.sweep()
    elif removed_by == "room":
        store.put(SPACE, "new", [bytes(600_000)])
    error = miss(store)
    assert error.reason == "expired"
    assert "expired 10 s ago" in str(error)


@pytest.mark.parametrize("how", ["delete", "drop"])
def test_deleted_value_says_so(remembering, how):
    store, clock = remembering
    store.put(SPACE, "prices", [bytes(3000)])
    clock.advance(7200)
    store.delete(SPACE, "prices") if how == "delete" else store.drop(SPACE)
    error = miss(store)
    assert error.reason == "deleted"
    assert "'prices' was deleted 0 s ago (" in str(error)
    assert "2 hours old" in str(error)


def test_value_that_came_again_is_no_miss_and_goes_for_its_own_reason(remembering):
    store, clock = remembering
    store.put(SPACE, "prices", [b"x"])
    store.delete(SPACE, "prices")
    store.put(SPACE, "prices", [b"y"], ttl=5)
    store.get(SPACE, "prices")
    clock.advance(6)
    assert miss(store).reason == "expired"


def test_value_that_never_was_is_unknown(remembering):
    store, _ = remembering
    store.put(SPACE, "other", [b"x"])
    error = miss(store)
    assert error.reason == "unknown"
    assert "never stored" in str(error)
    assert "was made" not in str(error)


def test_new_store_says_that_it_is_new(files):
    files.put(SPACE, "other", [b"x"])
    assert "The store was made 0 s ago: what was stored before that is lost." in str(miss(files))


def test_brain_and_other_processes_learn_the_reason(tmp_path):
    brain = Brain(path=tmp_path)
    brain["prices"] = [1, 2, 3]
    brain.forget("prices")
    with pytest.raises(ValueMissing) as caught:
        Brain(path=tmp_path)["prices"]
    assert caught.value.reason == "deleted"
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.reason, str(copy)) == ("deleted", str(caught.value))


def test_remembering_costs_a_delete_no_more_than_a_look_at_the_objects_head(files, monkeypatch):
    files.put(SPACE, "prices", [b"x"])
    gc.collect()  # closes what other tests left open, and is not to be counted
    calls = Counter()
    for name in _CALLS:
        monkeypatch.setattr(os, name, counting(calls, name, getattr(os, name)))
    monkeypatch.setattr(kernel_locks.fcntl, "fcntl", counting(calls, "fcntl", kernel_locks.fcntl.fcntl))
    files.delete(SPACE, "prices")
    assert calls == {"fstat": 1, "fcntl": 2, "stat": 1, "open": 1, "pread": 1, "close": 1, "unlink": 1}


def test_table_forgets_and_never_mistakes_one_path_for_another(tmp_path):
    with (tmp_path / "table").open("w+b") as file:
        file.write(bytes(SIZE))
        file.flush()
        table = Tombstones(mmap.mmap(file.fileno(), tombstones.SIZE))
    for number in range(20_000):
        table.note(f"brain/a/{number}", Tombstone("evicted", number << 20, number, number))
    known = [number for number in range(20_000) if table.recall(f"brain/a/{number}") is not None]
    assert 2000 < len(known) <= tombstones.PLACES
    for number in known:
        assert table.recall(f"brain/a/{number}") == ("evicted", number << 20, number, number)
    assert table.recall("brain/b/0") is None


def test_table_full_of_nonsense_spoils_no_more_than_messages(files):
    files.put(SPACE, "prices", [b"x"])
    files.delete(SPACE, "prices")
    chance = random.Random(5)
    for _ in range(50):
        raw = bytearray((place(files) / "remembered").read_bytes())
        raw[8::32] = chance.randbytes(len(raw[8::32]))
        for at in range(16, len(raw), 32):
            raw[at : at + 16] = chance.randbytes(16)
        with (place(files) / "remembered").open("r+b") as table:
            table.write(raw)
        miss(files)
