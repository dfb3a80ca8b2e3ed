"""A process that is stopped while it holds a lock costs others an error after a while, and nothing else."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

import pytest

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import FileStore
from dash_brain.stores.mapped.system import locks
from dash_brain.stores.namespaces import VALUE
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import volume_of
from tests.torture.children import Child

SPACE = "brain/stopped"


@pytest.fixture(params=[FileStore, FallbackStore])
def store(request, tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "LONGEST_WAIT", 0.3)
    store = request.param(tmp_path)
    store.put(SPACE, "key", [b"old"])
    store.put("session/a", "key", [b"old"], ttl=1000, retention=VALUE.within(1_000_000))
    return store


def hold_and_stop(kind, folder, path):
    with volume_of(kind(folder)).hold(path):
        os.kill(os.getpid(), signal.SIGSTOP)


@contextmanager
def stopped_holder(store, path):
    """Let a process hold the lock of a path, stopped, while the block runs; then it is killed."""
    holder = Child(hold_and_stop, type(store), store.folder, path)
    try:
        os.waitid(os.P_PID, holder.pid, os.WSTOPPED)
        yield
    finally:
        holder.kill()


def test_writer_of_the_key_is_told_and_everybody_else_goes_on(store):
    with stopped_holder(store, f"{SPACE}/key"):
        for change in (
            lambda: store.put(SPACE, "key", [b"new"]),
            lambda: store.delete(SPACE, "key"),
            lambda: store.touch(SPACE, "key", 5),
        ):
            with pytest.raises(StoreUnavailable, match="stopped"):
                change()
        assert bytes(store.get(SPACE, "key")[0]) == b"old"
        store.put(SPACE, "other", [b"new"])
        assert store.exists(SPACE, "other")
    store.put(SPACE, "key", [b"new"])
    assert bytes(store.get(SPACE, "key")[0]) == b"new"


def test_account_of_a_session_is_waited_for_by_that_session_only(store):
    with stopped_holder(store, ".accounts/a"):
        with pytest.raises(StoreUnavailable, match="stopped"):
            store.put("session/a", "new", [b"x"], ttl=1000, retention=VALUE.within(1_000_000))
        store.put("session/b", "new", [b"x"], ttl=1000, retention=VALUE.within(1_000_000))
        assert bytes(store.get("session/a", "key")[0]) == b"old"
    store.put("session/a", "new", [b"x"], ttl=1000, retention=VALUE.within(1_000_000))


@pytest.mark.parametrize("path", ["sweep", "ledger"])
def test_what_nobody_needs_at_once_is_left_to_the_next(store, path):
    with stopped_holder(store, path):
        store._sweep_due = 0
        store.put(SPACE, "key", [b"new"])
        assert bytes(store.get(SPACE, "key")[0]) == b"new"
        if path == "ledger":
            with pytest.raises(StoreUnavailable, match="stopped"):
                type(store)(store.folder).usage()
    assert type(store)(store.folder).sweep() == 0


def test_single_flight_waits_for_as_long_as_it_takes(store):
    with store.lock("key"), pytest.raises(RuntimeError, match="holds the lock"), store.lock("key"):
        pass
