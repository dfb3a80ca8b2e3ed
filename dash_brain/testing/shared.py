"""What holds between processes."""

from __future__ import annotations

import multiprocessing
import threading
import time

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores.base import Store, needs_lock
from dash_brain.testing.common import SPACE, Contract, Reopen, Taker, plain


class SharedContract(Contract):
    """What a store that processes share does besides.

    ``reopen`` gives a function, which can be pickled, that opens the same store once more.
    """

    @pytest.fixture
    def reopen(self) -> Reopen:
        """Return what opens the same store in another process; every subclass says how."""
        raise NotImplementedError("override the fixture 'reopen'")

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

    def test_all_openers_have_one_secret(self, store: Store, reopen: Reopen) -> None:
        with multiprocessing.get_context("spawn").Pool(3) as pool:
            secrets = pool.map(_secret, [reopen] * 6)
        assert set(secrets) == {store.secret()}

    def test_lock_holds_between_openers(self, store: Store, reopen: Reopen) -> None:
        with needs_lock(store).lock("key"):
            taker = Taker(reopen(), "key")
            assert not taker.is_done_in(0.2)
        assert taker.is_done_in(5)

    def test_lock_holds_between_processes(self, store: Store, reopen: Reopen) -> None:
        store.put(SPACE, "count", [b"0"])
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            pool.map(_count_to_25, [reopen] * 4)
        assert plain(store.get(SPACE, "count")) == [b"100"]

    def test_killed_holder_frees_its_lock(self, store: Store, reopen: Reopen) -> None:
        context = multiprocessing.get_context("spawn")
        held = context.Event()
        holder = context.Process(target=_hold_for_ever, args=(reopen, held))
        holder.start()
        try:
            assert held.wait(30)
            taker = Taker(store, "key")
            assert not taker.is_done_in(0.2)
        finally:
            holder.kill()
            holder.join()
        assert taker.is_done_in(5)


def _secret(reopen: Reopen) -> bytes:
    return reopen().secret()


def _count_to_25(reopen: Reopen) -> None:
    store = reopen()
    for _ in range(25):
        with needs_lock(store).lock("count"):
            count = int(plain(store.get(SPACE, "count"))[0])
            store.put(SPACE, "count", [b"%d" % (count + 1)])


def _hold_for_ever(reopen: Reopen, held: threading.Event) -> None:
    with needs_lock(reopen()).lock("key"):
        held.set()
        time.sleep(600)
