"""What a reader holds never changes, though what was replaced is written anew again and again."""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
from collections import deque
from contextlib import suppress
from functools import partial

import pytest

from dash_brain.errors import StoreError, ValueMissing
from dash_brain.stores import FileStore
from dash_brain.stores.mapped.volume import aligned_map, pages
from dash_brain.stores.mapped.volume.large import LARGE
from tests.needs import missing
from tests.stores.places import place, volume_of
from tests.torture.children import Child, Flag, beside
from tests.torture.faults import CHANGING, ERRNOS, KILLED, Fault, intercepted
from tests.torture.grounds import PAGES, PlainPages, ground, objects, unaccounted
from tests.torture.sizes import size

SPACE = "brain/spares"
KEYS = ["name-0", "name-1"]
#: The first frame says which value it is; the second can be compared as a whole.
VALUES = {b"%d" % number: os.urandom(4096) * ((LARGE >> 12) + number % 3 * 300 + 1) for number in range(12)}
REPLACED = size(300, 100_000)


@pytest.fixture(params=[FileStore])
def store(request, tmp_path):
    with ground(tmp_path, "size=2g") as folder:
        store = request.param(folder)
        store.put(SPACE, "first", [b"x"])
        if request.param is FileStore and not volume_of(store).spares._trusted:
            missing("shared memory with leases")
        yield store
        store.close()


def put(store, key, number):
    store.put(SPACE, key, [number, VALUES[number]])


def assert_unchanged(frames):
    number, body = frames
    assert body == VALUES[bytes(number)], "changed under its reader"


def counting(store):
    """Count the spares that this process writes."""
    publish, counted = volume_of(store).publish, [0]
    real = publish._rewrite

    def rewrite(spare, draft):
        done = real(spare, draft)
        counted[0] += done
        return done

    publish._rewrite = rewrite
    return counted


def replace(store, seed, times, enough):
    """Replace the names; return how many spares were written."""
    chance, spares = random.Random(seed), counting(store)
    for done in range(times):
        put(store, chance.choice(KEYS), chance.choice(list(VALUES)))
        if done % 50 == 49:
            store.delete(SPACE, chance.choice(KEYS))
        if done % 400 == 399:
            store.sweep()
        if enough:
            break
    return spares[0]


def read(store, seed, enough):
    """Read and hold values until it is enough; return how many were read."""
    chance, held, done = random.Random(seed), deque(), 0
    while not enough:
        with suppress(ValueMissing):
            frames = store.get(SPACE, chance.choice(KEYS))
            assert_unchanged(frames)
            held.append(frames)
            done += 1
        if len(held) > chance.randrange(4):
            assert_unchanged(held.popleft())
        if done % 5 == 0:
            held.clear()  # else there is hardly ever a spare that nobody reads
    return done


everywhere = pytest.mark.parametrize("store", PAGES, indirect=True)


@everywhere
def test_no_byte_changes_under_readers_though_several_replace(store):
    never = Flag()
    with beside(partial(read, store, 1), partial(read, store, 2)) as reads:
        writers = [Child(replace, store, seed, REPLACED // 3, never) for seed in range(3)]
        written = [writer.result() for writer in writers]
    assert min(reads) > 3
    assert sum(written) > REPLACED // 20 or type(store) is PlainPages, "hardly any spare was used"
    store.sweep()
    assert objects(store) <= {f"{SPACE}/{name}" for name in ("first", *KEYS)}
    store.drop(SPACE)
    store.close()
    assert unaccounted(store) == 0


def test_no_byte_changes_under_forked_children_of_readers_and_writers(store):
    """A child holds what its parent held, and what a thread of it was about to write."""
    enough, chance = Flag(), random.Random(3)
    for key in KEYS:
        put(store, key, b"1")
    thread = threading.Thread(target=replace, args=(store, 4, 10**9, enough))
    thread.start()
    try:
        children = deque()
        for _ in range(size(50, 5000)):
            frames = _got(store, chance.choice(KEYS))
            number = bytes(frames[0])
            children.append(Child(_look_for_a_while, frames, number, chance.random() / 50))
            del frames
            if len(children) > 6:
                children.popleft().result()
        while children:
            children.popleft().result()
    finally:
        enough.up()
        thread.join()


def _got(store, key):
    while True:
        with suppress(ValueMissing):
            return store.get(SPACE, key)


def _look_for_a_while(frames, number, seconds):
    for _ in range(4):
        assert bytes(frames[0]) == number
        assert_unchanged(frames)
        threading.Event().wait(seconds / 4)


def test_reader_that_is_stopped_between_open_and_map_finds_what_it_opened(store, monkeypatch):
    def stop_and_map(file, nbytes):
        os.kill(os.getpid(), signal.SIGSTOP)
        return aligned_map.map_private(file, nbytes)

    def read_stopped(number):
        monkeypatch.setattr(pages, "map_private", stop_and_map)
        frames = store.get(SPACE, KEYS[0])
        assert bytes(frames[0]) == number
        assert_unchanged(frames)

    written = counting(store)
    for round in range(size(10, 1000)):
        number = b"%d" % (round % 12)
        put(store, KEYS[0], number)
        child = Child(read_stopped, number)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        for other in range(4):
            put(store, KEYS[0], b"%d" % ((round + other + 1) % 12))
        os.kill(child.pid, signal.SIGCONT)
        child.result()
    assert written[0]


def test_two_who_want_one_spare_write_a_file_each(store):
    for round in range(size(20, 3000)):
        store.drop(SPACE)
        store.sweep()
        put(store, "left", b"1")
        store.delete(SPACE, "left")  # the only spare
        go = Flag()
        racers = [Child(_race, store, key, b"%d" % ((round + 3 * n) % 12), go) for n, key in enumerate(KEYS)]
        go.up()
        assert sum(racer.result() for racer in racers) <= 1
        for n, key in enumerate(KEYS):
            frames = store.get(SPACE, key)
            assert bytes(frames[0]) == b"%d" % ((round + 3 * n) % 12)
            assert_unchanged(frames)
            del frames


def _race(store, key, number, go):
    spares = counting(store)
    volume_of(store).spares.most = 1 << 30
    while not go:
        pass
    put(store, key, number)
    return spares[0]


@everywhere
def test_writers_that_are_killed_leave_nothing_behind_a_sweep(store):
    chance, never = random.Random(5), Flag()
    for key in KEYS:
        put(store, key, b"1")
    for _ in range(size(20, 3000)):
        child = Child(replace, store, chance.random(), 10**9, never)
        threading.Event().wait(chance.random() / 20)
        child.kill()
        for key in KEYS:
            with suppress(ValueMissing):
                assert_unchanged(store.get(SPACE, key))
    store.sweep()
    assert objects(store) <= {f"{SPACE}/{name}" for name in ("first", *KEYS)}
    assert not (place(store) / ".spares").exists()
    assert store.usage() == sum(store.info(SPACE, key).nbytes for key in store.scan(SPACE))
    store.drop(SPACE)
    store.close()
    assert unaccounted(store) == 0


def test_any_call_that_fails_while_a_spare_is_written_leaves_a_value_whole(store):
    made = _put_into_spare(store)
    assert {"posix_fallocate", "rename", "fcntl", "chmod"} <= set(made)
    gc.collect()  # what earlier tests left
    descriptors = len(os.listdir("/proc/self/fd"))
    for number, name in enumerate(made):
        for kind in ERRNOS:
            _put_into_spare(store, Fault(number, kind))
        if name in CHANGING:
            _put_into_spare(store, Fault(number, KILLED))
    gc.collect()  # what faults left in tracebacks
    assert len(os.listdir("/proc/self/fd")) == descriptors


def _put_into_spare(store, fault=None):
    """Put a value where there is a spare and another value, and a call fails; return what calls it took."""
    store.sweep()
    for number in (b"0", b"1", b"2"):
        put(store, KEYS[0], number)
    assert os.listdir(place(store) / ".spares")
    calls = _killed(store, fault) if fault and fault.kind == KILLED else _failed(store, fault)
    frames = store.get(SPACE, KEYS[0])
    assert bytes(frames[0]) in (b"2", b"3")
    assert_unchanged(frames)
    del frames
    store.sweep()
    assert objects(store) <= {f"{SPACE}/{name}" for name in ("first", *KEYS)}
    assert store.usage() == sum(store.info(SPACE, key).nbytes for key in store.scan(SPACE))
    return calls


def _failed(store, fault):
    with intercepted(fault) as calls, suppress(StoreError):
        put(store, KEYS[0], b"3")
    return calls.made


def _killed(store, fault):
    child = Child(_failed, store, fault)
    with suppress(AssertionError):
        child.result()
