"""Real processes, real kills, real full disks."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.stores import FileStore, SharedMemoryStore, publishing
from dash_brain.stores import files as object_files
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import everything, mounted, place
from tests.stores.workers import (
    SPACE,
    check_pattern,
    live_through_removals,
    overwrite_and_read,
    patterned,
)

SECONDS = float(os.environ.get("TORTURE_SECONDS", "30"))
OWN_FILES = {"FORMAT", "key", "ledger", "locks", "remembered", "brain", "brain/torture"}


def processes(number):
    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))


def test_a_name_overwritten_under_its_readers_is_never_missing_or_torn(shared_memory):
    shared_memory.put(SPACE, "name", patterned(100))
    reopen = partial(SharedMemoryStore, shared_memory.name)
    roles = ["writer"] * 3 + ["reader"] * 5
    with processes(8) as pool:
        turns = [pool.submit(overwrite_and_read, reopen, role, SECONDS) for role in roles]
        assert all(turn.result() > 20 for turn in turns)
    assert everything(shared_memory) == OWN_FILES | {"brain/torture/name"}


def test_a_name_overwritten_under_its_readers_is_never_missing_or_torn_without_linux(tmp_path):
    store = FallbackStore(tmp_path)
    store.put(SPACE, "name", patterned(100))
    roles = ["writer", "writer", "reader", "reader"]
    with processes(4) as pool:
        turns = [
            pool.submit(overwrite_and_read, partial(FallbackStore, tmp_path), role, SECONDS / 10)
            for role in roles
        ]
        assert all(turn.result() > 5 for turn in turns)


@pytest.mark.parametrize(("kind", "deaths"), [(FileStore, 60), (FallbackStore, 30)])
def test_killed_writers_leave_nothing_after_one_sweep(tmp_path, kind, deaths):
    folder = "/dev/shm" if os.path.isdir("/dev/shm") else str(tmp_path)
    folder = os.path.join(folder, f"deaths-{os.getpid()}")
    store = kind(folder)
    code = (
        "from functools import partial; from tests.stores.workers import die_while_writing; "
        f"from {kind.__module__} import {kind.__name__}; "
        f"die_while_writing(partial({kind.__name__}, {folder!r}), {deaths})"
    )
    try:
        subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
        store.sweep()
        check_pattern(store.get(SPACE, "name"))
        left = {path for path in everything(store) if not path.startswith(".locks")}
        assert left - OWN_FILES == {"brain/torture/name"}
        assert store.usage() == store.info(SPACE, "name").nbytes
    finally:
        shutil.rmtree(folder)


def test_writer_killed_between_link_and_rename_leaves_a_draft_that_the_next_one_removes(files, tmp_path):
    files.put(SPACE, "name", [b"old"])
    code = (
        "import os, signal; from dash_brain.stores import FileStore; "
        "os.rename = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL); "
        f"FileStore({str(tmp_path)!r}).put({SPACE!r}, 'name', [b'lost'])"
    )
    for heal in (files.sweep, lambda: files.put(SPACE, "name", [b"old"])):
        assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
        assert any(path.startswith("brain/torture/.") for path in everything(files))
        assert bytes(files.get(SPACE, "name")[0]) == b"old"
        heal()
        assert everything(files) == OWN_FILES | {"brain/torture/name"}


@contextlib.contextmanager
def small_disk(tmp_path, monkeypatch, mounts, options, limit):
    """A tmpfs of its own where we may mount one, or a disk that says it is full."""
    if mounts:
        with mounted(tmp_path / "small", options) as folder:
            yield folder
        return

    def write_all(file, pieces, size, real=object_files.write_all):
        objects = [path for path in tmp_path.rglob("brain/*/*") if path.is_file()]
        if sum(path.stat().st_size + 1 for path in objects) + size > limit:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file, pieces, size)

    monkeypatch.setattr(object_files, "write_all", write_all)
    yield tmp_path


@pytest.mark.parametrize("mounts", [False, True] if os.geteuid() == 0 else [False])
@pytest.mark.parametrize(
    ("options", "limit", "size"),
    [("size=64m", 64 << 20, 3_000_000), ("size=64m", 6 << 20, 70_000), ("size=64m,nr_inodes=40", 4000, 10)],
    ids=["large values", "small values", "few inodes"],
)
def test_full_store_says_so_keeps_what_it_has_and_works_again(
    tmp_path, monkeypatch, mounts, options, limit, size
):
    with small_disk(tmp_path, monkeypatch, mounts, options, limit) as folder:
        store = FileStore(folder)
        stored = []
        with pytest.raises(StoreFull) as full:  # noqa: PT012
            for number in range(2000):
                store.put(SPACE, str(number), patterned(size))
                stored.append(str(number))
        assert "There is no room" in str(full.value)
        assert len(stored) > 5
        with pytest.raises(StoreFull):
            store.put(SPACE, "one more", patterned(max(size, 3_000_000)))
        for key in stored:
            check_pattern(store.get(SPACE, key))
        store.delete(SPACE, stored[0])
        store.put(SPACE, "again", patterned(size))
        check_pattern(store.get(SPACE, "again"))
        assert set(store.scan(SPACE)) == {*stored[1:], "again"}
        assert not [path for path in everything(store) if "/." in path]


def remove_store(store):
    shutil.rmtree(place(store), ignore_errors=True)


def remove_content(store):
    for path in place(store).iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def remove_namespace(store):
    shutil.rmtree(place(store) / "brain" / "torture")


def remove_all_of_user(store):
    shutil.rmtree(place(store).parent)


@pytest.mark.parametrize("remove", [remove_store, remove_content, remove_namespace, remove_all_of_user])
@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_removed_folder_means_misses_then_works_again(tmp_path, remove, kind):
    one, two = kind(tmp_path), kind(tmp_path)
    for first, second in ((one, two), (two, one)):
        first.put(SPACE, "name", [b"old"])
        assert bytes(second.get(SPACE, "name")[0]) == b"old"
        remove(one)
        for store in (first, second):
            with pytest.raises(ValueMissing):
                store.get(SPACE, "name")
            assert list(store.scan(SPACE)) == []
            assert store.delete(SPACE, "name") is False
        second.put(SPACE, "name", [b"new"])
        assert bytes(first.get(SPACE, "name")[0]) == b"new"
        assert first.secret() == second.secret() == kind(tmp_path).secret()


def test_put_into_a_store_that_was_emptied_and_filled_by_others_is_theirs_to_read(tmp_path):
    one, two = FileStore(tmp_path), FileStore(tmp_path)
    one.put(SPACE, "name", [b"old"])
    remove_content(one)
    two.put(SPACE, "other", [b"x"])  # the namespace is there again, under another secret
    one.put(SPACE, "name", [b"new"])
    assert bytes(two.get(SPACE, "name")[0]) == b"new"


def test_lock_taken_in_a_folder_that_was_removed_is_taken_where_the_others_are(tmp_path):
    one, two = FileStore(tmp_path), FileStore(tmp_path)
    one.secret()
    remove_store(one)
    two.secret()
    with one.lock("key"), two._root.hold_if_free("lock:key") as free:
        assert not free


def test_lock_waited_for_while_the_folder_is_removed_is_taken_where_the_others_are(tmp_path):
    holder, waiter, other = (FileStore(tmp_path) for _ in range(3))
    waiter.secret()
    entered = threading.Event()

    def wait():
        with waiter.lock("key"):
            entered.set()

    with holder.lock("key"):
        thread = threading.Thread(target=wait)
        thread.start()
        assert not entered.wait(0.2)
        remove_store(holder)
        block = other.lock("key")
        block.__enter__()
    assert not entered.wait(0.2)
    block.__exit__(None, None, None)
    assert entered.wait(5)
    thread.join()


def test_folder_that_is_removed_while_it_is_opened_is_made_once_more(tmp_path, monkeypatch):
    store, real = FileStore(tmp_path), publishing.has_unnamed_files
    removals = iter([True, True])

    def remove_first(folder):
        if next(removals, False):
            remove_store(store)
        return real(folder)

    monkeypatch.setattr(publishing, "has_unnamed_files", remove_first)
    store.put(SPACE, "name", [b"x"])
    assert bytes(FileStore(tmp_path).get(SPACE, "name")[0]) == b"x"


def test_running_processes_survive_that_the_folder_is_removed_again_and_again(tmp_path):
    store = FileStore(tmp_path)
    with processes(3) as pool:
        runs = [pool.submit(live_through_removals, partial(FileStore, tmp_path), 4.0) for _ in range(3)]
        while not all(run.done() for run in runs):
            time.sleep(0.02)
            remove_store(store)
        assert sum(run.result() for run in runs) > 0
    live_through_removals(partial(FileStore, tmp_path), 0.1)
    assert bytes(FileStore(tmp_path).secret()) == store.secret()


def test_held_frames_never_change_while_the_name_is_replaced_and_deleted(shared_memory):
    for size in (100, 600_000):
        frames = patterned(size)
        shared_memory.put(SPACE, "name", frames)
        held = shared_memory.get(SPACE, "name")
        for _ in range(200):
            shared_memory.put(SPACE, "name", patterned(size))
            assert bytes(held[1]) == frames[1]
        shared_memory.delete(SPACE, "name")
        shared_memory.sweep()
        check_pattern(held)
        shutil.rmtree(place(shared_memory))
        check_pattern(held)
