"""What holds between processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from dash_brain.errors import ValueConflict, ValueMissing
from dash_brain.stores.base import ABSENT, Store, needs_lock
from dash_brain.testing.common import SPACE, Contract, Reopen, Taker, plain

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.pool import Pool

#: Of processes that share nothing with this one. A fork server starts them faster than an interpreter does.
_PROCESSES: ForkServerContext | SpawnContext = (
    multiprocessing.get_context("forkserver") if hasattr(os, "fork") else multiprocessing.get_context("spawn")
)


class SharedContract(Contract):
    """What a store that processes share does besides.

    ``reopen`` gives a function, which can be pickled, that opens the same store once more. It is called in
    processes that began before the test: what it needs of the environment, it sets.
    """

    @pytest.fixture
    def reopen(self) -> Reopen:
        """Return what opens the same store in another process; every subclass says how."""
        raise NotImplementedError("override the fixture 'reopen'")

    @pytest.fixture(scope="class")
    @classmethod
    def processes(cls) -> Iterator[Pool]:
        """Four processes, which the tests of a class share: each loads the store's module once."""
        with _PROCESSES.Pool(4) as pool:
            yield pool

    def test_other_openers_see_everything(self, store: Store, reopen: Reopen) -> None:
        other = reopen()
        object_id = store.put(SPACE, "key", [b"x"], meta={"a": "b"})
        assert plain(other.get(SPACE, "key")) == [b"x"]
        assert other.info(SPACE, "key").object_id == object_id
        assert other.usage() == store.usage()
        other.put(SPACE, "key", [b"y" * 300_000])
        assert plain(store.get(SPACE, "key")) == [b"y" * 300_000]
        assert other.delete(SPACE, "key")
        with pytest.raises(ValueMissing):
            store.get(SPACE, "key")

    def test_all_openers_have_one_secret(self, store: Store, reopen: Reopen, processes: Pool) -> None:
        assert set(processes.map(_secret, [reopen] * 6)) == {store.secret()}

    def test_lock_holds_between_openers(self, store: Store, reopen: Reopen) -> None:
        with needs_lock(store).lock("key"):
            taker = Taker(reopen(), "key")
            assert not taker.is_done_in(0.2)
        assert taker.is_done_in(30)

    def test_lock_holds_between_processes(self, store: Store, reopen: Reopen, processes: Pool) -> None:
        store.put(SPACE, "count", [b"0"])
        processes.map(_count_to_15, [reopen] * 4, chunksize=1)
        assert plain(store.get(SPACE, "count")) == [b"60"]

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_compare_and_set_between_processes_loses_no_update(
        self, store: Store, reopen: Reopen, processes: Pool, size: int
    ) -> None:
        processes.map(_add_15, [(reopen, size)] * 4, chunksize=1)
        assert len(plain(store.get(SPACE, "count"))) == 1 + 60

    def test_what_processes_put_where_nothing_lies_and_take_by_its_id_is_taken_once(
        self, reopen: Reopen, processes: Pool
    ) -> None:
        putting = [processes.apply_async(_put_each, (reopen, _jobs(number))) for number in range(2)]
        taking = [processes.apply_async(_take_30, (reopen,)) for _ in range(2)]
        taken = [job for one in taking for job in one.get(60)]
        for one in putting:
            one.get(60)
        assert sorted(taken) == sorted(_jobs(0) + _jobs(1))

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
    @pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
    def test_forked_child_and_its_parent_use_the_store_at_once(self, store: Store) -> None:
        store.put(SPACE, "key", [b"opened before"])
        child = multiprocessing.get_context("fork").Process(target=_put_and_get, args=(store, b"child"))
        child.start()
        try:
            _put_and_get(store, b"parent")
            child.join(60)
            assert child.exitcode == 0, "a store drops its connections in a forked child: reset_in_children"
        finally:
            child.kill()
            child.join()

    def test_killed_holder_frees_its_lock(self, store: Store, reopen: Reopen) -> None:
        held = _PROCESSES.Event()
        holder = _PROCESSES.Process(target=_hold_for_ever, args=(reopen, held))
        holder.start()
        try:
            assert held.wait(30)
            taker = Taker(store, "key")
            assert not taker.is_done_in(0.2)
        finally:
            holder.kill()
            holder.join()
        assert taker.is_done_in(30)


def _secret(reopen: Reopen) -> bytes:
    return reopen().secret()


def _count_to_15(reopen: Reopen) -> None:
    store = reopen()
    for _ in range(15):
        with needs_lock(store).lock("count"):
            count = int(plain(store.get(SPACE, "count"))[0])
            store.put(SPACE, "count", [b"%d" % (count + 1)])


def _add_15(given: tuple[Reopen, int]) -> None:
    """Add 15 frames to an object, each in place of the very object that was read."""
    store, left = given[0](), 15
    while left:
        with contextlib.suppress(ValueConflict):
            try:
                seen = store.info(SPACE, "count").object_id
                frames = store.get(SPACE, "count")
            except ValueMissing:
                seen, frames = ABSENT, [b"x" * given[1]]
            store.put(SPACE, "count", [*frames, b"one"], replaces=seen)
            left -= 1


def _jobs(number: int) -> list[bytes]:
    return [b"%d of %d" % (job, number) for job in range(30)]


def _put_each(reopen: Reopen, jobs: list[bytes]) -> None:
    """Put jobs under one key, each as soon as the key is free."""
    store, jobs = reopen(), list(jobs)
    while jobs:
        try:
            store.put(SPACE, "job", [jobs[-1]], replaces=ABSENT)
            jobs.pop()
        except ValueConflict:
            time.sleep(0.0002)


def _take_30(reopen: Reopen) -> list[bytes]:
    """Take 30 objects, each by the id that it had when it was read."""
    store = reopen()
    taken: list[bytes] = []
    while len(taken) < 30:
        try:
            seen = store.info(SPACE, "job").object_id
            job = plain(store.get(SPACE, "job"))[0]
        except ValueMissing:
            time.sleep(0.0002)
        else:
            if store.delete(SPACE, "job", object_id=seen):
                taken.append(job)
    return taken


def _put_and_get(store: Store, mine: bytes) -> None:
    """Use a store for a while, and meet nothing but what this process has put."""
    for number in range(200):
        frame = b"%s %d" % (mine, number)
        with needs_lock(store).lock(mine.decode()):
            store.put(SPACE, mine.decode(), [frame])
        assert plain(store.get(SPACE, mine.decode())) == [frame]


def _hold_for_ever(reopen: Reopen, held: threading.Event) -> None:
    with needs_lock(reopen()).lock("key"):
        held.set()
        time.sleep(600)
