"""A session keeps within its quota, and what it takes is counted without a look at its objects."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import pytest

from dash_brain import configure
from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.settings import LEAST_QUOTA, _settings, _share
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.stores.mapped import put as putting
from dash_brain.stores.mapped.system import locks as kernel_locks
from dash_brain.stores.namespaces import VALUE, account_of
from dash_brain.testing import Clock
from tests.processes import FORKSERVER
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import everything, mounted_disk, needs_disk, place
from tests.stores.workers import put_for_a_session

QUOTA = 1_000_000


@pytest.fixture(params=["files", "fallback", "memory"])
def bounded(request, tmp_path):
    clock = Clock()
    if request.param == "memory":
        return MemoryStore(clock=clock), clock
    return {"files": FileStore, "fallback": FallbackStore}[request.param](tmp_path, clock=clock), clock


def put(store, namespace, key, nbytes, ttl=1e5):
    store.put(namespace, key, [bytes(nbytes)], ttl=ttl, retention=VALUE.within(QUOTA))


def keys(store, *namespaces):
    return {key for namespace in namespaces for key in store.scan(namespace)}


def test_session_above_its_quota_loses_what_ends_soon_then_what_it_used_longest_ago(bounded):
    store, clock = bounded
    for number in range(5):
        put(store, "session/a", str(number), 150_000)
        clock.advance(10)
    put(store, "session-names/a", "ending", 150_000, ttl=60)
    store.get("session/a", "0")
    put(store, "session/a", "new", 150_000)
    assert keys(store, "session/a", "session-names/a") == {"0", "1", "2", "3", "4", "new"}
    put(store, "session-memo/a", "more", 200_000)
    assert keys(store, "session/a", "session-memo/a") == {"0", "3", "4", "new", "more"}


def test_other_sessions_and_apps_lose_nothing(bounded):
    store, _ = bounded
    for namespace in ("session/b", "session-names/ab", "app/a", "brain/a"):
        put(store, namespace, "key", 300_000)
    put(store, "claims/b", "key", 3000)
    for number in range(20):
        put(store, "session/a", str(number), 300_000)
    for namespace in ("session/b", "session-names/ab", "app/a", "brain/a", "claims/b"):
        assert keys(store, namespace) == {"key"}
    assert len(keys(store, "session/a")) == 3


def test_value_larger_than_the_quota_is_refused_by_name_and_costs_nothing(bounded):
    store, _ = bounded
    put(store, "session/a", "key", 300_000)
    with pytest.raises(StoreFull, match="session_quota"):
        put(store, "session/a", "huge", 1_100_000)
    assert keys(store, "session/a") == {"key"}
    put(store, "app/a", "huge", 1_100_000)


def test_value_for_which_not_enough_of_the_session_may_go_costs_nothing(bounded):
    store, _ = bounded
    store.put("session-names/a", "for good", [bytes(600_000)], retention=VALUE.within(QUOTA))
    for number in range(3):
        put(store, "session/a", str(number), 100_000)
    with pytest.raises(StoreFull, match="session_quota"):
        put(store, "session/a", "new", 500_000)
    assert keys(store, "session/a") == {"0", "1", "2"}
    store.put("session-names/a", "for good", [bytes(800_000)], retention=VALUE.within(QUOTA))


def test_replaced_value_counts_once(bounded):
    store, _ = bounded
    put(store, "session-names/a", "small", 100_000)
    for _ in range(20):
        put(store, "session-names/a", "cart", 800_000)
    assert keys(store, "session-names/a") == {"small", "cart"}


# --- accounts of the local stores ---


def accounts(store):
    """Return what stands in each account."""
    folder = place(store) / ".accounts"
    pages = {file.name: int(file.stat().st_mtime) for file in folder.iterdir()} if folder.exists() else {}
    return {name: number * 4096 for name, number in pages.items()}


def taken(store):
    """Return what each account takes, found by looking at every object."""
    total = Counter()
    for domain in ("session", "session-names", "session-memo"):
        for namespace in store.namespaces(domain):
            sizes = [store.info(namespace, key).nbytes for key in store.scan(namespace)]
            total[account_of(namespace)] += sum(sizes)
    return total


@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_accounts_are_right_after_processes_put_and_deleted_at_once(tmp_path, kind):
    store = kind(tmp_path)
    with ProcessPoolExecutor(4, mp_context=FORKSERVER) as pool:
        for run in [pool.submit(put_for_a_session, partial(kind, tmp_path), 100, QUOTA) for _ in range(4)]:
            run.result()
    assert accounts(store) == taken(store)
    assert max(accounts(store).values()) <= QUOTA


def test_values_that_a_session_puts_at_once_wait_for_each_other(files):
    def put_one(number):
        files.put(
            "session/a", str(number % 6), [bytes(8_000_000)], ttl=1e5, retention=VALUE.within(25_000_000)
        )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put_one, range(30)))
    assert accounts(files) == taken(files)
    assert 8_000_000 < accounts(files)["a"] <= 25_000_000


@needs_disk
def test_quota_holds_on_a_disk_that_keeps_whole_seconds_only(tmp_path):
    with mounted_disk(tmp_path / "disk", 64, "-I", "128") as folder:
        store = FileStore(folder)
        for number in range(8):
            put(store, "session/a", str(number), 300_000)
        assert accounts(store) == taken(store)
        assert accounts(store)["a"] <= QUOTA


def test_account_is_closed_with_its_last_object_however_that_goes(files, tmp_path):
    clock = Clock()
    store = FileStore(tmp_path, clock=clock)
    for end in ("delete", "drop", "expire", "by hand"):
        put(store, "session/a", "key", 1000, ttl=5)
        assert accounts(store) == {"a": 4096}
        if end == "delete":
            store.delete("session/a", "key")
        elif end == "drop":
            store.drop("session/a")
        elif end == "expire":
            clock.advance(6)
            store.sweep()
        else:
            (place(store) / "session/a/key").unlink()
            store.sweep()
        assert accounts(store) == {}


def test_failed_put_is_not_charged(files):
    put(files, "session/a", "key", 1000)
    files.resize(20_000)
    with pytest.raises(StoreFull):
        files.put("session/a", "other", [bytes(50_000)], retention=VALUE.within(QUOTA))
    assert accounts(files) == {"a": 4096}


DYING = """
import os, signal, sys
from dash_brain.stores import FileStore
from dash_brain.stores.mapped import put
put._place = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
FileStore(sys.argv[1]).put("session/a", "key", [b"x" * 100_000])
"""


def test_account_of_a_killed_writer_is_put_right_by_the_next_sweep(tmp_path):
    store = FileStore(tmp_path)
    put(store, "session/a", "key", 1000)
    assert subprocess.run([sys.executable, "-c", DYING, str(tmp_path)]).returncode == -signal.SIGKILL
    assert accounts(store) == {"a": 4096 + 102_400}
    store.sweep()
    assert accounts(store) == {"a": 4096}


def test_sweep_leaves_in_an_account_what_is_being_written(files, monkeypatch):
    put(files, "session/a", "key", 1000)
    real = putting._publish

    def swept_meanwhile(*args):
        files.sweep()
        return real(*args)

    monkeypatch.setattr(putting, "_publish", swept_meanwhile)
    put(files, "session/a", "other", 100_000)
    assert accounts(files) == taken(files)


@pytest.mark.parametrize("namespace", ["brain/a", "session/a"])
def test_put_costs_the_same_among_many_objects_and_sessions(tmp_path, monkeypatch, namespace):
    counted = []
    for others in (10, 2000):
        store = FileStore(tmp_path / str(others))
        for number in range(others):
            store.put(f"session/{number % 100}", str(number), [b"x"], ttl=1e5, retention=VALUE.within(QUOTA))
        store.put(namespace, "key", [b"x"], ttl=1e5, retention=VALUE.within(QUOTA))
        calls = Counter()
        with monkeypatch.context() as patches:
            for module, names in ((os, _CALLS), (kernel_locks.fcntl, ["fcntl"])):
                for name in names:
                    patches.setattr(module, name, counting(calls, name, getattr(module, name)))
            store.put(namespace, "new", [b"x"], ttl=1e5, retention=VALUE.within(QUOTA))
            store.put(namespace, "key", [b"y"], ttl=1e5, retention=VALUE.within(QUOTA))
        counted.append(calls)
    assert counted[0] == counted[1]
    assert 0 < counted[0].total() < 45


_CALLS = (
    *("open", "close", "fstat", "stat", "statvfs", "read", "pread", "write", "pwrite", "writev", "utime"),
    *("link", "rename", "unlink", "mkdir", "listdir", "scandir", "readlink", "symlink", "fchmod"),
)


def counting(calls, name, real):
    """Return ``real``, and count how often this thread calls it: others sweep what other tests opened."""
    here = threading.get_ident()

    def call(*args, **kwargs):
        calls[name] += threading.get_ident() == here
        return real(*args, **kwargs)

    return call


def test_nothing_is_left_of_a_session_but_an_empty_folder(files):
    put(files, "session/a", "key", 1000)
    files.drop("session/a")
    files.sweep()
    assert {path for path in everything(files) if "/" in path} == set()


# --- the setting ---


def quota_of(store, **options):
    _share.cache_clear()  # else it may be the answer of a moment ago
    return _settings(store=store, **options).quota


def test_quota_is_half_of_the_budget_and_at_least_256_mb_where_the_rest_goes_to_disk(tmp_path, monkeypatch):
    store = FileStore(tmp_path, size="100MB")
    assert quota_of(store) == 50_000_000
    with monkeypatch.context() as patches:
        patches.setattr(FileStore, "spills", True)
        assert quota_of(store) == LEAST_QUOTA
    store.resize(2_000_000_000)
    assert quota_of(store) == 1_000_000_000
    assert quota_of(store, session_quota="500MB") == 500_000_000
    monkeypatch.setenv("DASH_BRAIN_SESSION_QUOTA", "1GiB")
    assert quota_of(store) == 1 << 30
    with pytest.raises(ValueError, match="A size"):
        configure(store, session_quota="much")


def test_evicted_value_is_a_miss(bounded):
    store, _ = bounded
    put(store, "session/a", "old", 600_000)
    put(store, "session/a", "new", 600_000)
    with pytest.raises(ValueMissing):
        store.get("session/a", "old")
