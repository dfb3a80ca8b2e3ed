"""A result that cannot be kept is given to all who waited for it; nobody waits for his turn to compute it."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dash_brain.errors import EncodeError, StoreFull
from dash_brain.singleflight import meetings
from tests.brain.workers import call_what_does_not_fit
from tests.processes import FORKSERVER

# Functions see these as variables of their module: over local ones they would close.
CALLS = []
GO_ON = threading.Event()


@pytest.fixture
def full(brain, monkeypatch):
    """A brain whose store has room for nothing but small notes."""
    CALLS.clear()
    GO_ON.clear()
    put = type(brain._store).put

    def put_if_small(store, namespace, key, frames, **options):
        if sum(map(len, frames)) > 10_000:
            raise StoreFull("no room")
        return put(store, namespace, key, frames, **options)

    monkeypatch.setattr(type(brain._store), "put", put_if_small)
    return brain


def in_threads(call, number):
    """Return what so many threads get that all ask before the first is done."""
    with ThreadPoolExecutor(number) as pool:
        turns = [pool.submit(call) for _ in range(number)]
        while not CALLS:
            time.sleep(0.001)
        time.sleep(1)  # the first fingerprint of a process takes longest
        GO_ON.set()
        return [turn.result(60) for turn in turns]


def test_threads_that_wait_get_copies_of_their_own(full):
    @full.memoize()
    def zeros():
        CALLS.append(1)
        assert GO_ON.wait(30)
        return {"array": np.zeros(10_000), "list": []}

    answers = in_threads(zeros, 6)
    assert CALLS == [1]
    for answer in answers:
        assert (answer["array"].sum(), answer["list"]) == (0, [])
        answer["array"] += 1
        answer["list"].append(1)


def test_coroutines_that_wait_get_copies_of_their_own(full):
    @full.memoize()
    async def zeros():
        CALLS.append(1)
        await asyncio.sleep(0.1)
        return np.zeros(10_000)

    async def main():
        return await asyncio.gather(*(zeros() for _ in range(6)))

    answers = asyncio.run(main())
    assert CALLS == [1]
    for answer in answers:
        assert answer.sum() == 0
        answer += 1


def test_who_comes_later_computes_it_anew(full):
    @full.memoize()
    def zeros():
        CALLS.append(1)
        return np.zeros(10_000)

    assert (zeros().sum(), zeros().sum()) == (0, 0)
    assert CALLS == [1, 1]


def test_copies_are_made_for_those_who_wait_only(full, monkeypatch):
    zeros = full.memoize()(lambda: np.zeros(10_000))
    monkeypatch.setattr(meetings, "EncodedValue", lambda value: pytest.fail("copied for nobody"))
    assert zeros().sum() == 0


def test_copies_are_what_the_value_was_when_it_was_made():
    value = np.zeros(10_000)
    encoded = meetings.EncodedValue(value)
    value += 1
    taken = encoded.copy()
    assert taken.sum() == 0
    taken += 1
    assert encoded.copy().sum() == 0


@pytest.mark.parametrize("error", [MemoryError, EncodeError])
def test_who_waits_for_what_cannot_be_copied_computes_it(full, monkeypatch, error):
    def fail(value):
        raise error

    @full.memoize()
    def zeros():
        CALLS.append(1)
        assert GO_ON.wait(30)
        return np.zeros(10_000)

    monkeypatch.setattr(meetings, "EncodedValue", fail)
    assert [answer.sum() for answer in in_threads(zeros, 3)] == [0] * 3
    assert len(CALLS) > 1


@pytest.mark.parametrize("kind", ["threads", "coroutines"])
def test_processes_that_wait_compute_it_all_at_once(tmp_path, kind):
    number = 3
    with FORKSERVER.Manager() as manager:
        waiting, made, together = manager.Semaphore(0), manager.list(), manager.Barrier(number - 1)
        arguments = [(str(tmp_path), kind, number, waiting, made, together)] * number
        with FORKSERVER.Pool(number) as pool:
            sizes = pool.starmap(call_what_does_not_fit, arguments, 1)
        assert len(made) == number
    assert sizes == [8 << 20] * number
