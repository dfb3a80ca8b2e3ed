"""What is done with a store is counted, by all who do it."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from contextlib import suppress

import pytest

from dash_brain import Brain, stats
from dash_brain.common.polling import wait_for
from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.singleflight.meetings import flights
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.stores.counters import WORDS, Counters
from dash_brain.stores.near_copy import SMALL, open_far
from dash_brain.stores.redis import RedisStore
from dash_brain.testing import Clock
from tests.needs import needs_root
from tests.redis import KEY, redis_server, running
from tests.stores.fallbacks import SmallSharedMemory
from tests.stores.places import near_of, remove

SPACE = "brain/counted"


def values_of(store):
    """Return what was done with the values of a store."""
    return stats(store).kinds["value"]


@pytest.fixture
def far(monkeypatch):
    """A Redis with near copies, and its server."""
    with running(redis_server()) as server:
        store = open_far(f"{server.url}?timeout=2", lambda url: RedisStore(url, key=KEY))
        yield store, server
        remove(near_of(store))


def check_counts(store):
    """Put, get, miss and remove, and compare what was counted."""
    store.put(SPACE, "a", [b"x" * 1000])
    store.put(SPACE, "b", [b"y" * 1000])
    store.get(SPACE, "a")
    for _ in range(2):
        with pytest.raises(ValueMissing):
            store.get(SPACE, "never")
    store.delete(SPACE, "a")
    with pytest.raises(ValueMissing):
        store.get(SPACE, "a")
    store.drop(SPACE)
    found = values_of(store)
    assert (found.puts, found.gets, found.deleted, found.evicted, found.refused) == (2, 1, 2, 0, 0)
    assert found.misses == {"unknown": 2, "deleted": 1, "evicted": 0, "expired": 0}
    assert found.put_bytes >= 2000
    assert found.get_bytes >= 1000
    assert found.put_seconds > 0
    assert found.get_seconds > 0


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), FileStore], ids=["memory", "files"])
def test_puts_gets_misses_and_removals_are_counted(make, tmp_path):
    check_counts(make(tmp_path))


def test_they_are_counted_for_redis_on_this_host_with_its_copies_apart(far):
    store, server = far
    check_counts(store)
    store.put(SPACE, "large", [b"z" * 2 * SMALL])
    store.get(SPACE, "large")
    found = stats(store)
    assert (found.shared, found.kinds["copy"].puts, found.kinds["copy"].gets) == ("host", 1, 1)
    server.kill()
    gone = stats(store)
    assert (gone.is_reachable, gone.used, gone.sessions) == (False, None, None)
    assert gone.kinds["value"] == found.kinds["value"]


def test_redis_without_near_copies_is_counted_in_the_process():
    with running(redis_server()) as server:
        store = open_far(f"{server.url}?near=off", lambda url: RedisStore(url, key=KEY))
        check_counts(store)
        assert stats(store).shared == "process"


@pytest.mark.parametrize("make", [MemoryStore, FileStore], ids=["memory", "files"])
def test_evictions_and_refusals_are_counted(make, tmp_path):
    store = make(size="1MB") if make is MemoryStore else make(tmp_path, size="1MB")
    for number in range(4):
        store.put(SPACE, str(number), [bytes(300_000)], ttl=3600.0)
    with pytest.raises(StoreFull):
        store.put(SPACE, "large", [bytes(2_000_000)])
    found = values_of(store)
    assert found.refused == 1
    assert found.evicted >= 1
    assert found.evicted_bytes >= 300_000 * found.evicted


@pytest.mark.parametrize("make", [MemoryStore, FileStore], ids=["memory", "files"])
def test_what_expired_is_counted(make, tmp_path):
    clock = Clock()
    store = make(clock=clock) if make is MemoryStore else make(tmp_path, clock=clock)
    store.put(SPACE, "key", [b"x"], ttl=10.0)
    clock.now += 11.0
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")
    found = values_of(store)
    assert (found.expired, found.misses["expired"], found.deleted) == (1, 1, 0)


@needs_root
def test_spills_are_counted(memory):
    store = SmallSharedMemory(memory)
    for number in range(15):
        store.put("brain/for good", str(number), [bytes((1 << 20) - 9000)])
    store.put(SPACE, "key", [bytes(4 << 20)])
    found = stats(store)
    assert found.spilled >= 4 << 20
    assert (found.kinds["value"].spilled, found.kinds["value"].puts) == (1, 16)
    assert found.kinds["value"].spilled_bytes >= 4 << 20


def test_bookkeeping_results_and_values_are_counted_apart(tmp_path):
    store = FileStore(tmp_path)
    for domain in ("session", "memo", "jobs"):
        store.put(f"{domain}/x", "key", [b"x"])
    kinds = stats(store).kinds
    assert [kinds[kind].puts for kind in ("value", "result", "note", "copy")] == [1, 1, 1, 0]


def in_child(work):
    """Do some work in a forked child, which is killed then."""
    child = os.fork()
    if not child:
        with suppress(BaseException):
            work()
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_counts_of_all_processes_are_added_up_also_of_killed_ones(tmp_path):
    store = FileStore(tmp_path)
    store.put(SPACE, "key", [b"x"])
    for _ in range(3):  # each goes on with the row of the one before
        in_child(lambda: store.get(SPACE, "key"))
    assert (values_of(store).puts, values_of(store).gets) == (1, 3)
    assert FileStore(tmp_path).counted() == store.counted()
    assert len(store.counters._rows()) <= 3 * WORDS


def test_child_counts_nothing_that_its_parent_did(tmp_path):
    store = MemoryStore()
    store.put(SPACE, "key", [b"x"])

    def check():
        assert values_of(store).puts == 0

    in_child(check)
    assert values_of(store).puts == 1


def test_store_that_was_removed_begins_anew(tmp_path):
    store = FileStore(tmp_path)
    store.put(SPACE, "key", [b"x"])
    remove(store)
    assert values_of(store).puts == 0
    store.put(SPACE, "key", [b"x"])
    assert values_of(store).puts == 1


def test_row_of_another_layout_is_begun_anew():
    old = memoryview(bytearray(b"\7" * 8 * WORDS)).cast("q")
    counters = Counters(old)
    counters.note_session()
    assert counters.read().flown.sessions == 1
    assert counters.read().done["value"].puts == 0


def test_miss_for_a_reason_of_another_release_is_counted_as_unknown():
    counters = Counters()
    counters.note_miss(SPACE, "archived")
    assert counters.read().done["value"].missed_unknown == 1


@pytest.mark.parametrize("used_before", [False, True])
def test_store_that_cannot_be_opened_is_said_to_be_unreachable(used_before, tmp_path):
    folder = tmp_path / "store"
    store = FileStore(folder)
    if used_before:
        store.put(SPACE, "key", [b"x"])
        shutil.rmtree(folder)
    folder.touch()  # a file where the folder would be
    found = stats(store)
    assert (found.is_reachable, found.used, found.budget, found.shared) == (False, None, None, "process")


def test_reading_the_counts_makes_no_store(tmp_path):
    FileStore(tmp_path).counted()
    assert not list(tmp_path.iterdir())


def test_store_without_room_for_a_row_is_counted_in_the_process(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    store = FileStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("dash_brain.stores.mapped.space.rows.os.pwrite", full)
        store.put(SPACE, "key", [b"x"])
    assert (stats(store).shared, values_of(store).puts) == ("process", 1)


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), FileStore], ids=["memory", "files"])
def test_computations_and_waits_of_single_flight_are_counted(make, tmp_path):
    store = make(tmp_path)
    brain, goes_on = Brain("counted", store=store), threading.Event()
    callers = [
        threading.Thread(target=brain.get_or_learn, args=("key", lambda: goes_on.wait(30))) for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    assert wait_for(lambda: any(one.is_awaited for one in tuple(flights._under_way.values())) or None, 30)
    goes_on.set()
    for caller in callers:
        caller.join()
    found = stats(store)
    assert (found.computations, found.waits) == (1, 1)
    assert found.compute_seconds > 0
    assert found.wait_seconds > 0


def test_failed_computations_are_counted():
    store = MemoryStore()
    brain = Brain("counted", store=store)
    with pytest.raises(ZeroDivisionError):
        brain.get_or_learn("key", lambda: 1 / 0)
    assert (stats(store).computations, stats(store).waits) == (1, 0)
