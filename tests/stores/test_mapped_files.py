"""What lies on the disk, which system calls it takes, and what a process leaves behind."""

from __future__ import annotations

import collections
import errno
import gc
import mmap
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dash_brain import Brain
from dash_brain.errors import StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores import (
    FileStore,
    MemoryStore,
    SharedMemoryStore,
    registry,
)
from dash_brain.stores.mapped import get
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.system import default_folder, descriptor, platform
from dash_brain.stores.mapped.system import locks as kernel_locks
from dash_brain.stores.mapped.volume import pages, publish
from dash_brain.testing import Clock
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import everything, file_of, place, volume_of
from tests.torture.sizes import SOAK

SPACE = "brain/files"


# --- layout and rights ---


def test_folders_are_for_the_owner_and_objects_for_reading_only(files):
    files.put(SPACE, "key", [b"x"])
    files.put(SPACE, "key", [b"y"])
    modes = {
        str(path.relative_to(files.folder)): path.stat().st_mode & 0o7777
        for path in place(files).parent.rglob("*")
    }
    root = str(place(files).relative_to(files.folder))
    assert modes == {
        root: 0o700,
        f"{root}/key": 0o600,
        f"{root}/ledger": 0o600,
        f"{root}/locks": 0o600,
        f"{root}/remembered": 0o600,
        f"{root}/brain": 0o700,
        f"{root}/brain/files": 0o700,
        f"{root}/brain/files/key": 0o400,
    }


UNDER_UMASK = """
import os, sys, multiprocessing
from dash_brain.stores import FileStore
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import place
kind, folder, umask = globals()[sys.argv[1]], sys.argv[2], int(sys.argv[3], 8)
if os.geteuid() == 0:  # root would not notice missing rights
    os.chown(folder, 65534, 65534)
    os.setgid(65534)
    os.setuid(65534)
os.umask(umask)
for store in (kind(folder), kind(folder)):
    store.put("brain/files", "key", [b"x"])
    store.put("brain/files", "key", [b"y" * 300_000])
    assert bytes(store.get("brain/files", "key")[0]) == b"y" * 300_000
    with store.lock("key"):
        pass
    assert store.sweep() == 0
    for path in place(store).rglob("[!.]*"):  # lock files are healed by whoever meets them
        want = 0o700 if path.is_dir() else 0o600 if path.parent == place(store) else 0o400
        assert path.stat().st_mode & 0o7777 == want, (path, oct(path.stat().st_mode))
"""


@pytest.mark.parametrize("umask", ["0", "022", "077", "0277", "0777"])
@pytest.mark.parametrize("kind", ["FileStore", "FallbackStore"])
def test_no_umask_changes_the_rights(tmp_path, umask, kind):
    folder = tmp_path / "anyones"
    folder.mkdir(mode=0o777)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    subprocess.run([sys.executable, "-c", UNDER_UMASK, kind, str(folder), umask], check=True)


def test_given_folder_may_be_anyones_and_is_made_if_missing(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for folder in (tmp_path / "new" / "folder", tmp_path / "open"):
        store = FileStore(folder)
        store.put(SPACE, "key", [b"x"])
        assert bytes(FileStore(folder).get(SPACE, "key")[0]) == b"x"
        assert place(store).is_relative_to(folder)
        assert stat.S_IMODE(place(store).stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o777


def test_stores_with_different_names_are_apart(tmp_path):
    one, two = FileStore(tmp_path, "one"), FileStore(tmp_path, "two")
    one.put(SPACE, "key", [b"x"])
    with pytest.raises(ValueMissing):
        two.get(SPACE, "key")
    assert one.secret() != two.secret()


def test_shared_memory_lies_in_memory_and_elsewhere_in_a_temp_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(platform, "SHARED_MEMORY", str(tmp_path))
    monkeypatch.setattr(default_folder.tempfile, "gettempdir", lambda: "/the/temp/folder")
    assert SharedMemoryStore("x").folder == "/the/temp/folder"
    monkeypatch.setattr(platform, "is_tmpfs", lambda _: True)
    assert SharedMemoryStore("x").folder == str(tmp_path)


def test_nothing_is_opened_before_the_first_use(tmp_path):
    FileStore(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


# --- system calls ---


@pytest.fixture
def calls(monkeypatch):
    """Count the system calls that are made through the modules os, fcntl and mmap."""
    counted, here = collections.Counter(), threading.get_ident()

    def count(module, name):
        real = getattr(module, name)

        def counting(*args, **kwargs):
            counted[name] += threading.get_ident() == here  # other threads sweep what other tests opened
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)

    for name in (
        *("open", "close", "fstat", "stat", "read", "pread", "preadv", "write", "writev", "posix_fallocate"),
        *("fchmod", "chmod", "utime", "link", "rename", "unlink", "mkdir", "rmdir", "listdir", "lseek"),
    ):
        count(os, name)
    count(kernel_locks.fcntl, "fcntl")
    count(pages, "map_private")
    return counted


NEW = {"fstat": 1, "open": 1, "writev": 1, "fchmod": 1, "utime": 1, "link": 1, "close": 1}


def test_put_of_a_new_key_takes_seven_system_calls(files, calls):
    files.put(SPACE, "other", [b"x"])
    calls.clear()
    files.put(SPACE, "key", [b"x" * 1000])
    assert calls == NEW


def test_put_of_a_known_key_takes_a_lock_a_draft_and_a_rename_more(files, calls):
    files.put(SPACE, "key", [b"x"])
    calls.clear()
    files.put(SPACE, "key", [b"x" * 1000])
    assert calls == NEW | {"link": 2, "rename": 1, "fcntl": 2, "stat": 1}


def test_names_and_a_sweep_look_once_at_each_value(files, calls):
    brain = Brain(store=files)
    for number in range(100):
        brain[f"name {number}"] = number
    for walk in (brain.names, files.sweep):
        calls.clear()
        walk()
        assert calls["stat"] < 110
        assert calls["open"] < 20


def test_put_of_a_key_replaced_before_needs_no_link_unless_it_is_large(files, calls):
    files.put(SPACE, "key", [b"x"])
    files.put(SPACE, "key", [b"x"])
    known = NEW | {"rename": 1, "fcntl": 2, "stat": 1}
    for size, links in ((1000, 0), (100_000, 2)):
        calls.clear()
        files.put(SPACE, "key", [b"x" * size])
        assert +calls == +collections.Counter(known | {"link": links})
    assert bytes(files.get(SPACE, "key")[0]) == b"x" * 100_000


def test_keys_that_were_replaced_are_not_remembered_without_end(files, monkeypatch):
    monkeypatch.setattr(publish.PublishUnnamed, "NAMES", 3)
    for number in range(10):
        files.put(SPACE, str(number), [b"old"])
        files.put(SPACE, str(number), [b"new"])
        assert len(volume_of(files).publish._replaced) <= 3
        assert bytes(files.get(SPACE, str(number))[0]) == b"new"


def test_put_of_a_large_object_reserves_its_room(files, calls):
    files.put(SPACE, "other", [b"x"])
    calls.clear()
    files.put(SPACE, "key", [b"x", b"y" * (2 << 20)])
    assert calls == NEW | {"posix_fallocate": 1}


def test_get_of_a_small_object_takes_four_system_calls(files, calls):
    files.put(SPACE, "key", [b"x" * 1000])
    calls.clear()
    files.get(SPACE, "key")
    assert calls == {"open": 1, "fstat": 1, "preadv": 1, "close": 1}


def test_get_of_a_large_object_maps_instead_of_reading(files, calls):
    files.put(SPACE, "key", [b"x", b"y" * (2 << 20)])
    calls.clear()
    files.get(SPACE, "key")
    assert calls == {"open": 1, "fstat": 1, "map_private": 1, "close": 1}


def test_system_calls_of_a_put_do_not_grow_with_the_number_of_keys(files, calls):
    for number in range(300):
        files.put(SPACE, str(number), [b"x"])
    calls.clear()
    files.put(SPACE, "key", [b"x" * 1000])
    assert calls == NEW


def test_reads_in_a_row_note_one_use(tmp_path, calls):
    clock = Clock()
    store = FileStore(tmp_path, clock=clock)
    store.put(SPACE, "key", [b"x"])
    clock.advance(2)
    calls.clear()
    for _ in range(10):
        store.get(SPACE, "key")
    assert calls["utime"] == 1


def test_large_get_costs_what_a_small_one_costs(files):
    def fastest(key):
        times = []
        for _ in range(200):
            begin = time.perf_counter()
            files.get(SPACE, key)
            times.append(time.perf_counter() - begin)
        return min(times)

    files.put(SPACE, "1 MB", [b"x", bytes(1 << 20)])
    files.put(SPACE, "128 MB", [b"x", bytes(128 << 20)])
    assert fastest("128 MB") < 3 * fastest("1 MB")


def test_short_writes_are_continued(files, monkeypatch):
    real = os.writev
    chunk = [1000]

    def few(file, pieces):
        chunk[0] = chunk[0] * 7 % 997 + 1
        return real(file, [memoryview(b"".join(pieces))[: chunk[0]]])

    monkeypatch.setattr(os, "writev", few)
    frames = [os.urandom(5000), b"", os.urandom(100), b"", *(os.urandom(3) for _ in range(1500)), b""]
    files.put(SPACE, "key", frames)
    assert [bytes(frame) for frame in files.get(SPACE, "key")] == frames


def test_short_reads_are_continued(files, monkeypatch):
    frames = [os.urandom(5000), os.urandom(100)]
    files.put(SPACE, "key", frames)
    real = os.preadv
    monkeypatch.setattr(
        os,
        "preadv",
        lambda file, into, at: (
            real(file, [into[0][:700]], at)
            if isinstance(into[0], memoryview)
            else real(file, [memoryview(into[0])[:700]], at)
        ),
    )
    assert [bytes(frame) for frame in files.get(SPACE, "key")] == frames


def test_room_is_not_reserved_where_the_file_system_cannot(files, monkeypatch):
    def lacking(*_):
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", lacking)
    files.put(SPACE, "key", [b"x" * (2 << 20)])
    monkeypatch.delattr(os, "posix_fallocate")
    files.put(SPACE, "key", [b"y" * (2 << 20)])
    assert bytes(files.get(SPACE, "key")[0]) == b"y" * (2 << 20)


# --- faults ---


def open_descriptors(folder):
    """Return how many files below the folder this process has open."""
    return sum(target_of(descriptor).startswith(f"{folder}/") for descriptor in os.listdir("/proc/self/fd"))


def target_of(descriptor):
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:  # closed meanwhile, as the one that lists the folder
        return ""


@pytest.mark.parametrize(
    ("kind", "call"),
    [(FileStore, call) for call in ("open", "writev", "fchmod", "utime", "link", "rename")]
    + [(FallbackStore, call) for call in ("open", "writev", "fchmod", "utime", "rename")],
)
@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EIO, StoreUnavailable),
        (errno.EMFILE, StoreUnavailable),
        (errno.EROFS, StoreUnavailable),
        (errno.EACCES, StoreUnavailable),
    ],
)
def test_fault_of_any_system_call_is_typed_and_leaves_nothing(
    tmp_path, monkeypatch, kind, call, number, error
):
    store = kind(tmp_path)
    store.put(SPACE, "key", [b"old"])
    store.get(SPACE, "key")
    before, descriptors = everything(store), open_descriptors(store.folder)

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(error) as caught:
        store.put(SPACE, "key", [b"new"])
    monkeypatch.undo()
    assert caught.value.__cause__.errno == number
    assert (everything(store) - {".locks"}, open_descriptors(store.folder)) == (
        before - {".locks"},
        descriptors,
    )
    assert bytes(store.get(SPACE, "key")[0]) == b"old"


def test_interrupted_put_leaves_nothing(files, monkeypatch):
    files.put(SPACE, "key", [b"old"])
    before, descriptors = everything(files), open_descriptors(files.folder)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    for call in ("writev", "link", "rename"):
        monkeypatch.setattr(os, call, interrupt)
        with pytest.raises(KeyboardInterrupt):
            files.put(SPACE, "key", [b"new"])
        monkeypatch.undo()
        assert (everything(files), open_descriptors(files.folder)) == (before, descriptors)
    files.put(SPACE, "key", [b"new"])


def test_descriptors_and_maps_stay_flat(shared_memory):
    def count():
        gc.collect()
        with open("/proc/self/maps") as maps:
            return open_descriptors(shared_memory.folder), len(
                [line for line in maps if "dash_brain" in line]
            )

    shared_memory.put(SPACE, "key", [b"x"])
    before = count()
    for number in range(10_000):
        shared_memory.put(SPACE, f"key {number % 50}", [b"x", b"y" * (300_000 if number % 20 == 0 else 10)])
        shared_memory.get(SPACE, f"key {number % 50}")
        if number % 3 == 0:
            shared_memory.delete(SPACE, f"key {number % 50}")
    assert count() == before


def test_closing_gives_back_every_descriptor(tmp_path):
    before = open_descriptors(tmp_path)
    for kind in (FileStore, FallbackStore):
        store = kind(tmp_path)
        store.put(SPACE, "key", [b"x"])
        assert open_descriptors(tmp_path) > before
        store.close()
        assert open_descriptors(tmp_path) == before
        store.get(SPACE, "key")
        del store
        assert open_descriptors(tmp_path) == before


def test_closing_under_running_threads_harms_nobody(files):
    files.put(SPACE, "key", [b"x" * 300_000])
    end = time.monotonic() + 1
    failures = []

    def read():
        while time.monotonic() < end:
            try:
                assert bytes(files.get(SPACE, "key")[0]) == b"x" * 300_000
                files.put(SPACE, "other", [b"x"])
            except BaseException as error:
                failures.append(error)
                raise

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        files.close()
    assert not failures


def test_writing_into_frames_never_reaches_the_file(files):
    for size in (100, 600_000):
        files.put(SPACE, "key", [b"s" * size, b"b" * size])
        raw = file_of(files).read_bytes()
        for frame in files.get(SPACE, "key"):
            memoryview(frame)[:] = b"!" * size
        assert file_of(files).read_bytes() == raw


def test_a_mapped_object_costs_no_memory_until_it_is_read(files):
    def private():
        with open("/proc/self/smaps_rollup") as rollup:
            return int(next(line for line in rollup if line.startswith("Pss_Anon")).split()[1])

    files.put(SPACE, "key", [b"x", bytes(64 << 20)])
    before = private()
    held = files.get(SPACE, "key")
    assert sum(memoryview(held[1])[::4096]) == 0
    assert private() - before < 20_000


# --- life ---


def test_touch_is_not_undone_by_a_read_that_began_before(tmp_path, monkeypatch):
    clock = Clock()
    store = FileStore(tmp_path, clock=clock)
    store.put(SPACE, "key", [b"x"], ttl=10)
    clock.advance(5)
    real = get.read_object

    def touched_meanwhile(*args):
        store.touch(SPACE, "key", None)
        return real(*args)

    monkeypatch.setattr(get, "read_object", touched_meanwhile)
    store.get(SPACE, "key")
    assert store.info(SPACE, "key").expires is None


def test_fresh_value_is_not_removed_by_one_who_saw_the_expired(tmp_path, monkeypatch):
    clock = Clock()
    store = FileStore(tmp_path, clock=clock)
    store.put(SPACE, "key", [b"old"], ttl=1)
    clock.advance(2)
    real = Inventory.remove_expired

    def too_late(*args):
        store.put(SPACE, "key", [b"new"])
        return real(*args)

    monkeypatch.setattr(Inventory, "remove_expired", too_late)
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")
    assert bytes(store.get(SPACE, "key")[0]) == b"new"


def test_expired_object_is_removed_by_whoever_asks_for_it(tmp_path):
    clock = Clock()
    store = FileStore(tmp_path, clock=clock)
    store.put(SPACE, "key", [b"x"], ttl=1)
    clock.advance(2)
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")
    assert store.usage() == 0


def test_put_sweeps_when_it_is_due_and_not_before(tmp_path):
    clock, monotonic = Clock(), Clock(0)
    store = FileStore(tmp_path, clock=clock, monotonic=monotonic)
    store.put("brain/a", "key", [b"x"], ttl=1)
    store.put("brain/b", "key", [b"x"])  # the sweep that is due at the start is over
    for seconds, left in ((29, True), (2, False)):
        clock.advance(seconds)
        monotonic.advance(seconds)
        store.put("brain/b", "key", [b"x"])
        assert ("brain/a" in everything(store)) is left


def test_processes_sweep_once_between_them(tmp_path):
    clock = Clock()
    stores = [FileStore(tmp_path, clock=clock) for _ in range(3)]
    stores[0].put("brain/a", "key", [b"x"])
    stores[0].put("brain/gone", "key", [b"x"], ttl=1)
    clock.advance(2)
    for store in stores:
        store.put("brain/a", "key", [b"x"])
    assert "brain/gone" in everything(stores[0])
    clock.advance(30)
    fresh = FileStore(tmp_path, clock=clock)
    fresh.put("brain/a", "key", [b"x"])
    assert "brain/gone" not in everything(fresh)


def test_only_one_sweeps_at_a_time_and_the_others_go_on(tmp_path):
    clock = Clock()
    one, two = FileStore(tmp_path, clock=clock), FileStore(tmp_path, clock=clock)
    one.put(SPACE, "old", [b"x"], ttl=1)
    clock.advance(100)
    with volume_of(one).hold("sweep"):
        two.put(SPACE, "key", [b"x"])
        assert "brain/files/old" in everything(two)


def test_sweep_leaves_the_draft_of_a_living_writer(tmp_path):
    store = FallbackStore(tmp_path)
    store.put(SPACE, "key", [b"old"])
    with volume_of(store).hold("brain/files/key") as draft:
        (place(store) / draft).write_bytes(b"being written")
        sweeper = threading.Thread(target=store.sweep)
        sweeper.start()
        sweeper.join()
        assert draft in everything(store)
    assert store.sweep() == 1
    assert draft not in everything(store)


def test_emptied_namespace_leaves_no_folder(files):
    files.put("brain/a", "key", [b"x"])
    files.delete("brain/a", "key")
    files.sweep()
    assert "brain/a" not in everything(files)


def test_sweeping_empty_folders_disturbs_no_put(tmp_path):
    store, other = FileStore(tmp_path), FileStore(tmp_path)
    end = time.monotonic() + 1
    sweeper = threading.Thread(
        target=lambda: [other.sweep() for _ in iter(lambda: time.monotonic() < end, False)]
    )
    sweeper.start()
    while sweeper.is_alive():
        store.put(SPACE, "key", [b"x"])
        assert bytes(store.get(SPACE, "key")[0]) == b"x"
        store.delete(SPACE, "key")


# --- forks and children ---


def in_child(work):
    """Return whether ``work`` returned something true in a forked child."""
    child = os.fork()
    if not child:
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def can_lock(store, key="key"):
    """Return whether the lock is to be had within a moment."""
    done = threading.Event()

    def take():
        with store.lock(key):
            done.set()

    threading.Thread(target=take, daemon=True).start()
    return done.wait(0.3)


@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_child_neither_has_nor_frees_the_locks_of_its_parent(tmp_path, kind):
    store = kind(tmp_path)
    with store.lock("key"):
        assert in_child(lambda: not can_lock(store))
        assert in_child(lambda: can_lock(store, "other"))
        assert not can_lock(kind(tmp_path))
    assert in_child(lambda: can_lock(store))


@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_block_left_in_a_child_leaves_the_lock_to_the_parent(tmp_path, kind):
    store = kind(tmp_path)
    block = store.lock("key")
    block.__enter__()
    assert in_child(lambda: block.__exit__(None, None, None) is not True)
    assert not can_lock(kind(tmp_path))
    block.__exit__(None, None, None)
    assert can_lock(kind(tmp_path))


@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_lock_of_a_dead_parent_does_not_live_on_in_its_child(tmp_path, kind):
    store = kind(tmp_path)
    reads, writes = os.pipe()
    parent = os.fork()
    if not parent:
        block = store.lock("key")
        block.__enter__()
        child = os.fork()
        if not child:
            time.sleep(30)
            os._exit(0)
        os.write(writes, str(child).encode())
        time.sleep(30)
        os._exit(0)
    child = int(os.read(reads, 20))
    try:
        assert not can_lock(kind(tmp_path))
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        assert can_lock(kind(tmp_path))
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(reads)
        os.close(writes)


@pytest.mark.parametrize("kind", [FileStore, MemoryStore])
def test_child_is_not_stuck_on_what_a_thread_of_its_parent_held(tmp_path, kind):
    store = kind(tmp_path) if kind is FileStore else kind()
    store.put(SPACE, "key", [b"x"])
    end = time.monotonic() + (1.5 if SOAK else 0.5)

    def work():
        while time.monotonic() < end:
            store.put(SPACE, "key", [b"x"])
            with store.lock("key"):
                store.get(SPACE, "key")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()

    def use_it_all():
        signal.alarm(5)
        store.put(SPACE, "key", [b"y"])
        store.sweep()
        return bytes(store.get(SPACE, "key")[0]) in (b"x", b"y")

    try:
        while time.monotonic() < end:
            assert in_child(use_it_all)
    finally:
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("kind", ["files", "memory"])
def test_child_is_not_stuck_on_a_lock_that_was_held_at_the_fork(tmp_path, kind):
    store = MemoryStore() if kind == "memory" else FileStore(tmp_path)
    store.put(SPACE, "key", [b"x"])
    guard = {"files": "_opening", "memory": "_guard"}[kind]
    fork, forked = threading.Event(), threading.Event()

    def hold():
        with getattr(store, guard):
            fork.set()
            forked.wait()

    def use_it_all():
        signal.alarm(5)
        registry.open_store("memory://in-child")
        store.close()
        store.put(SPACE, "key", [b"y"])
        return bytes(store.get(SPACE, "key")[0]) == b"y"

    thread = threading.Thread(target=hold)
    thread.start()
    fork.wait()
    try:
        assert in_child(use_it_all)
    finally:
        forked.set()
        thread.join()


def test_worker_that_becomes_another_user_opens_the_store_of_that_user(files, monkeypatch):
    files.put(SPACE, "key", [b"x"])
    other = os.geteuid() + 1
    Path(files.folder, f"dash_brain-{other}").mkdir(mode=0o700)

    def use_as_another():
        monkeypatch.setattr(os, "geteuid", lambda: other)
        with pytest.raises(StoreUnavailable, match=f"not to user {other}"):
            files.get(SPACE, "key")
        return True

    assert in_child(use_as_another)


def test_interpreter_ends_in_silence(tmp_path):
    code = (
        "from dash_brain.stores import FileStore; from tests.stores.fallbacks import FallbackStore; "
        f"stores = [FileStore({str(tmp_path)!r}), FallbackStore({str(tmp_path)!r})]; "
        "ids = [store.put('brain/a', 'key', [b'x' * 300000]) for store in stores]; "
        "held = [store.get('brain/a', 'key') for store in stores]; "
        "locks = [store.lock('key') for store in stores]; [lock.__enter__() for lock in locks[:1]]"
    )
    ended = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL])
def test_system_without_unnamed_files_and_range_locks_is_found_out(tmp_path, monkeypatch, number):
    real_open, real_fcntl = os.open, kernel_locks.fcntl.fcntl

    def open_file(path, flags, *args, **kwargs):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, "not supported")
        return real_open(path, flags, *args, **kwargs)

    def lock(file, command, *args):
        if command in (kernel_locks.fcntl.F_OFD_SETLK, kernel_locks.fcntl.F_OFD_SETLKW):
            raise OSError(errno.EINVAL, "not supported")
        return real_fcntl(file, command, *args)

    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(kernel_locks.fcntl, "fcntl", lock)
    store = FileStore(tmp_path)
    with store.lock("key"):
        store.put(SPACE, "key", [b"x"])
        store.put(SPACE, "key", [b"y"])
    assert bytes(store.get(SPACE, "key")[0]) == b"y"
    assert volume_of(store).publish.func is publish.publish_named
    assert isinstance(volume_of(store).locks._kernel, kernel_locks.FlockedFiles)


def test_system_without_proc_is_found_out(files, monkeypatch):
    monkeypatch.setattr(os.path, "isdir", lambda path: not path.startswith("/proc"))
    files.put(SPACE, "key", [b"x"])
    assert volume_of(files).publish.func is publish.publish_named


def test_system_without_private_folders_is_told_what_to_use(files, monkeypatch):
    monkeypatch.setattr(platform, "SUPPORTED", False)
    with pytest.raises(StoreUnavailable, match="memory://"):
        files.put(SPACE, "key", [b"x"])


def test_programs_that_are_started_inherit_nothing(files):
    files.put(SPACE, "key", [b"x" * 300_000])
    held = files.get(SPACE, "key")
    with files.lock("key"):
        listed = subprocess.run(
            ["ls", "-l", "/proc/self/fd"], close_fds=False, capture_output=True, text=True, check=True
        ).stdout
    assert "dash_brain" not in listed
    assert len(held) == 1


def test_map_is_private_and_reserves_nothing(monkeypatch, files):
    seen = []
    real = mmap.mmap
    files.put(SPACE, "key", [b"x" * 300_000])
    monkeypatch.setattr(mmap, "mmap", lambda *args, **kwargs: seen.append(args) or real(*args, **kwargs))
    files.get(SPACE, "key")
    assert seen[0][2] == mmap.MAP_PRIVATE | 0x4000


@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_files_are_closed_at_exit_though_modules_are_gone(tmp_path, monkeypatch, kind):
    store = kind(tmp_path)
    for _ in range(2):
        store.put(SPACE, "key", [b"x"])
    root = volume_of(store)
    store._space = None
    with monkeypatch.context() as exiting:
        exiting.setattr(descriptor, "os", None)
        exiting.setattr(kernel_locks, "os", None)
        root.locks._kernel.__del__()
        number = root.descriptor
        root._open.clear()
    with pytest.raises(OSError):
        os.fstat(number)
