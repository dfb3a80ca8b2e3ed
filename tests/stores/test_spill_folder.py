"""The folder of spilled values belongs to its store, whatever happens around it."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from dash_brain.errors import StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores.mapped.spill import roots as spill_roots
from dash_brain.stores.mapped.spill.roots import SpillFolder
from dash_brain.stores.namespaces import VALUE, account_of
from dash_brain.testing import Clock, plain
from tests.needs import needs_root
from tests.stores.fallbacks import SmallSharedMemory
from tests.stores.places import (
    disk_image,
    inventory,
    ledger_of,
    mounted,
    mounted_disk,
    mounted_image,
    needs_disk,
    place,
)
from tests.stores.workers import check_pattern, patterned

MB = 1 << 20
SPACE = "brain/spilled"
OUTER = f"dash_brain-{os.geteuid()}"
pytestmark = needs_root


@pytest.fixture
def store(memory):
    """A store with a spilled value, ``key``."""
    store = SmallSharedMemory(memory)
    store.put(SPACE, "key", patterned(20 * MB))
    return store


def folder_on(disk: Path) -> Path:
    (folder,) = (disk / OUTER).glob("spill-*")
    return folder


def make_old(path: Path) -> None:
    long_ago = time.time() - 1e6
    os.utime(path, (long_ago, long_ago), follow_symlinks=False)


def at_once(number: int, work) -> list[BaseException]:
    """Let threads begin together, and return what they raised."""
    raised, barrier = [], threading.Barrier(number)

    def run():
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_threads_that_read_first_at_once_open_the_folder_once(store):
    for _ in range(10):
        store.close()
        store.usage()
        before = descriptors()
        assert not at_once(16, lambda: store.info(SPACE, "key"))
        assert descriptors() <= before + 1


def test_folder_removed_under_threads_means_misses_only(store, disk):
    over = time.monotonic() + 1.0

    def look():
        while time.monotonic() < over:
            with contextlib.suppress(ValueMissing):
                store.info(SPACE, "key")

    def remove():
        while time.monotonic() < over:
            shutil.rmtree(disk / OUTER, ignore_errors=True)
            time.sleep(0.005)

    remover = threading.Thread(target=remove)
    remover.start()
    raised = at_once(6, look)
    remover.join()
    assert not raised
    store.put(SPACE, "again", patterned(20 * MB))
    check_pattern(store.get(SPACE, "again"))


def other_boot(monkeypatch) -> None:
    monkeypatch.setattr(spill_roots, "boot", lambda: "other000")


def test_sweep_removes_what_a_store_of_another_boot_spilled_when_nobody_used_it_for_a_day(
    store, memory, disk, monkeypatch
):
    other_boot(monkeypatch)
    lost = folder_on(disk)
    shutil.rmtree(place(store))
    after = SmallSharedMemory(memory, "after")
    after.put(SPACE, "key", [b"x"])
    after.sweep()
    assert lost.exists(), "it may be another container's, with which we share the disk"
    make_old(lost)
    after.sweep()
    assert not lost.exists()


def test_sweep_leaves_what_a_store_of_this_boot_spilled_however_long_ago(store, memory, disk):
    make_old(folder_on(disk))
    other = SmallSharedMemory(memory, "other")
    other.put(SPACE, "key", [b"x"])
    other.sweep()
    check_pattern(store.get(SPACE, "key"))


def test_sweep_notes_that_the_folder_of_its_own_store_is_in_use_and_never_removes_it(
    store, memory, disk, monkeypatch
):
    other_boot(monkeypatch)
    make_old(folder_on(disk))
    monkeypatch.setattr(os, "utime", lambda *_, **__: None)
    store.sweep()
    check_pattern(store.get(SPACE, "key"))
    monkeypatch.undo()
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(disk)])
    store.sweep()
    assert time.time() - folder_on(disk).stat().st_mtime < 1e5


def test_sweep_that_looks_for_lost_folders_follows_no_links(store, disk, tmp_path, monkeypatch):
    other_boot(monkeypatch)
    dear = tmp_path / "dear"
    (dear / f"spill-{'0' * 32}").mkdir(parents=True)
    (dear / f"spill-{'0' * 32}" / "file").write_bytes(b"dear")
    (disk / OUTER / f"spill-{'1' * 32}").symlink_to(dear)
    make_old(disk / OUTER / f"spill-{'1' * 32}")
    store.sweep()
    (disk / OUTER).rename(disk / "kept")
    (disk / OUTER).symlink_to(dear)
    make_old(dear / f"spill-{'0' * 32}")
    store.sweep()
    assert list(dear.rglob("file"))


def test_store_that_is_removed_on_purpose_takes_its_folders_along(store, memory, disk):
    other = SmallSharedMemory(memory, "other")
    other.put(SPACE, "key", patterned(20 * MB))
    opened = os.open(place(store), os.O_RDONLY)
    spill_roots.remove_folders_of(opened)
    os.close(opened)
    check_pattern(other.get(SPACE, "key"))
    assert len(list((disk / OUTER).iterdir())) == 1


def test_processes_that_spill_first_at_once_make_one_folder(memory, disk, monkeypatch):
    real, both = spill_roots.new_record, threading.Barrier(2)

    def slow():
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return real()

    monkeypatch.setattr(spill_roots, "new_record", slow)
    keys = iter("ab")
    assert not at_once(2, lambda: SmallSharedMemory(memory).put(SPACE, next(keys), patterned(20 * MB)))
    store = SmallSharedMemory(memory)
    for key in "ab":
        check_pattern(store.get(SPACE, key))
    assert len(list(folder_on(disk).iterdir())) == 2


def test_place_that_has_two_paths_loses_nothing(memory, disk, tmp_path, monkeypatch):
    alias = tmp_path / "alias"
    alias.symlink_to(disk)
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(disk), str(alias)])
    store = SmallSharedMemory(memory)
    store.put(SPACE, "key", patterned(20 * MB))
    store.sweep()
    check_pattern(store.get(SPACE, "key"))
    store.delete(SPACE, "key")
    assert not list(folder_on(disk).iterdir())


def test_place_may_have_a_colon_in_its_path(memory, tmp_path, disk, monkeypatch):
    """The places of a store are kept as one text."""
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(tmp_path / "none"), f"{disk}/a:b"])
    (disk / "a:b").mkdir()
    store = SmallSharedMemory(memory)
    store.put(SPACE, "key", patterned(20 * MB))
    assert len(list(folder_on(disk / "a:b").iterdir())) == 1


def test_machine_without_a_temp_folder_sweeps(memory, disk, monkeypatch):
    """As a container has none whose root may only be read."""
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "gettempdir", no_temp_folder)
    store = SmallSharedMemory(memory)
    store.put(SPACE, "key", [b"x"], ttl=0.001)
    time.sleep(0.01)
    assert store.sweep() == 1


def no_temp_folder() -> str:
    raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")


def test_what_is_idle_on_another_disk_makes_no_room_on_ours(memory, disk, tmp_path, monkeypatch):
    clock = Clock()
    ours = tmp_path / "ours"
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(ours), str(disk)])
    store = SmallSharedMemory(memory, clock=clock)
    store.put("session/a", "idle", patterned(20 * MB), ttl=1e5)
    ours.mkdir()
    clock.advance(1000)
    monkeypatch.setattr(SpillFolder, "missing", lambda _, nbytes, __: nbytes)
    with pytest.raises(StoreFull):
        store.put("session/a", "new", patterned(20 * MB), ttl=1e5)
    check_pattern(store.get("session/a", "idle"))


def test_process_with_another_temp_folder_reads_what_was_spilled_and_spills_to_the_same(
    store, memory, disk, tmp_path, monkeypatch
):
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(tmp_path)])
    other = SmallSharedMemory(memory)
    other.put(SPACE, "new", patterned(20 * MB))
    for key in ("key", "new"):
        check_pattern(store.get(SPACE, key))
        check_pattern(other.get(SPACE, key))
    assert len(list(folder_on(disk).iterdir())) == 2


def test_folder_that_cannot_be_opened_for_a_moment_is_used_again(store, disk, monkeypatch):
    store.close()
    store.usage()
    real, refusals = os.open, [errno.EMFILE]

    def refusing_once(path, *args, **kwargs):
        if refusals and path == str(disk):
            error = refusals.pop()
            raise OSError(error, os.strerror(error), path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing_once)
    with contextlib.suppress(StoreFull):
        store.put(SPACE, "new", patterned(20 * MB))
    assert not refusals
    store.put(SPACE, "new", patterned(20 * MB))
    check_pattern(store.get(SPACE, "new"))
    check_pattern(store.get(SPACE, "key"))
    assert len(list(folder_on(disk).iterdir())) == 2


def test_folder_that_cannot_be_trusted_is_closed_again(store, disk):
    (disk / OUTER).chmod(0o755)
    store.close()
    store.usage()
    before = descriptors()
    for _ in range(10):
        with pytest.raises(StoreUnavailable, match="mode 755"):
            store.get(SPACE, "key")
    assert descriptors() == before


@needs_disk
def test_disk_that_is_mounted_under_the_number_of_another_takes_nothing_from_it(tmp_path, memory, disk):
    ours, theirs = (disk_image(tmp_path / f"{name}.image", 64) for name in ("ours", "theirs"))
    with mounted_image(ours, disk):
        store = SmallSharedMemory(memory)
        store.put(SPACE, "key", patterned(20 * MB))
        numbers = disk.stat().st_dev, disk.stat().st_ino
        store.close()
    with mounted_image(theirs, disk):
        assert (disk.stat().st_dev, disk.stat().st_ino) == numbers
        store.sweep()
        with pytest.raises(ValueMissing, match="does not see"):
            store.get(SPACE, "key")
        store.put(SPACE, "new", patterned(20 * MB))
        check_pattern(store.get(SPACE, "new"))
        store.close()
    with mounted_image(ours, disk):
        store.sweep()
        check_pattern(store.get(SPACE, "key"))
        with pytest.raises(ValueMissing, match="does not see"):
            store.get(SPACE, "new")
        store.close()


def test_folder_that_cannot_be_trusted_stops_nothing_but_what_lies_there(store, disk, caplog):
    digest = "k" * 300
    store.put(SPACE, digest, patterned(20 * MB), ttl=1000)
    store.put(SPACE, "small", [b"small"])
    (disk / OUTER).chmod(0o755)
    store.close()
    store.sweep()
    assert "small" in list(store.scan(SPACE))
    assert SPACE in set(store.namespaces("brain"))
    with caplog.at_level(logging.WARNING, "dash_brain"):
        for _ in range(2):
            with pytest.raises(StoreFull):
                store.put(SPACE, "new", patterned(20 * MB))
    assert caplog.text.count("mode 755") == 1
    with pytest.raises(StoreUnavailable, match="mode 755"):
        store.get(SPACE, "key")
    store.put(SPACE, digest, [b"small"])
    assert store.delete(SPACE, digest)
    (disk / OUTER).chmod(0o700)
    check_pattern(store.get(SPACE, "key"))
    store.drop(SPACE)


def test_folder_planted_by_another_user_is_passed_over(tmp_path, memory, monkeypatch, caplog):
    planted, free = tmp_path / "planted", tmp_path / "free"
    for folder in (planted, free):
        folder.mkdir()
    (planted / OUTER).mkdir(mode=0o700)
    os.chown(planted / OUTER, 1000, 1000)
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(planted), str(free)])
    store = SmallSharedMemory(memory)
    with caplog.at_level(logging.WARNING, "dash_brain"):
        for key in ("one", "two"):
            store.put(SPACE, key, patterned(20 * MB))
    assert caplog.text.count("belongs to user 1000") == 1
    assert len(list(folder_on(free).iterdir())) == 2
    check_pattern(store.get(SPACE, "one"))


@pytest.fixture
def elsewhere(memory, disk, tmp_path):
    """The same store as another container sees it, or a service with a private /var/tmp."""
    clock = Clock()
    store = SmallSharedMemory(memory, clock=clock)
    store.put("session/a", "short", patterned(20 * MB), ttl=100)
    store.put("session/a", "renewed", patterned(20 * MB), ttl=100)
    store.put("session/a", "for good", patterned(20 * MB))
    store.touch("session/a", "renewed", 1000)
    store.put("session/a", "here", [b"small"], ttl=100_000)
    (tmp_path / "other disk").mkdir()
    subprocess.run(["mount", "--bind", str(tmp_path / "other disk"), str(disk)], check=True)
    try:
        yield SmallSharedMemory(memory, clock=clock), store, clock
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_miss_says_that_the_value_lies_on_a_disk_out_of_sight(elsewhere):
    there, _, clock = elsewhere
    with pytest.raises(ValueMissing, match=r"does not see.*PrivateTmp"):
        there.get("session/a", "for good")
    clock.advance(500)
    with pytest.raises(ValueMissing) as caught:
        there.get("session/a", "short")
    assert "does not see" not in str(caught.value)


def test_sweep_out_of_sight_of_the_disk_removes_what_expired_and_leaves_the_counts(elsewhere):
    there, store, clock = elsewhere
    before = ledger_of(store).spilled(), inventory(store).accounts.total(account_of("session/a"))
    for _ in range(2):
        assert there.sweep() == 0
    assert (ledger_of(there).spilled(), inventory(there).accounts.total(account_of("session/a"))) == before
    clock.advance(500)
    assert there.sweep() == 1
    clock.advance(1000)
    assert there.sweep() == 1
    check_pattern(store.get("session/a", "for good"))
    assert there.sweep() == 0
    store.sweep()
    kept = store.info("session/a", "for good").nbytes
    assert ledger_of(store).spilled() == kept
    assert (
        inventory(store).accounts.total(account_of("session/a"))
        == kept + store.info("session/a", "here").nbytes
    )


def test_value_that_lies_out_of_sight_can_be_deleted_and_replaced(elsewhere):
    there, store, _ = elsewhere
    assert there.delete("session/a", "for good")
    there.put("session/a", "renewed", [b"small"])
    assert plain(store.get("session/a", "renewed")) == [b"small"]
    assert set(there.scan("session/a")) == {"here", "renewed"}
    store.sweep()
    assert ledger_of(store).spilled() == store.info("session/a", "short").nbytes


def test_process_that_sees_another_disk_spills_there_and_each_reads_its_own(elsewhere, tmp_path):
    there, store, _ = elsewhere
    there.put("session/a", "new", patterned(20 * MB))
    assert len(list((tmp_path / "other disk").rglob("spill-*/*"))) == 1
    check_pattern(there.get("session/a", "new"))
    check_pattern(store.get("session/a", "for good"))


def test_what_lies_out_of_sight_is_counted_by_all(elsewhere):
    there, store, _ = elsewhere
    nbytes = there.put("session/a", "new", patterned(20 * MB)) and there.info("session/a", "new").nbytes
    held = sum(store.info("session/a", key).nbytes for key in ("short", "renewed", "for good"))
    for one in (there, store):
        one.sweep()
        assert ledger_of(one).spilled() == held + nbytes
    assert there.delete("session/a", "for good")
    assert ledger_of(there).spilled() < held + nbytes
    here = store.info("session/a", "here").nbytes
    assert inventory(there).accounts.total("a") == ledger_of(there).spilled() + here


def test_quota_makes_room_of_what_lies_out_of_sight_too(elsewhere):
    there, store, _ = elsewhere
    there.put("session/a", "new", patterned(20 * MB), ttl=1000, retention=VALUE.within(70 * MB))
    with pytest.raises(ValueMissing, match="evicted"):
        store.get("session/a", "short")
    store.sweep()
    check_pattern(store.get("session/a", "for good"))


@pytest.mark.parametrize("kind", ["not ours to enter", "a file"])
def test_place_that_may_not_be_entered_costs_only_what_lies_there(memory, disk, monkeypatch, kind):
    SmallSharedMemory(memory).put(SPACE, "key", patterned(20 * MB))
    SmallSharedMemory(memory).put(SPACE, "small", [b"here"])
    if kind == "a file":
        disk.rename(disk.with_name("kept"))
        disk.write_bytes(b"")
    else:
        refuse_to_enter(disk, monkeypatch)
    store = SmallSharedMemory(memory)
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")
    assert plain(store.get(SPACE, "small")) == [b"here"]
    assert "small" in set(store.scan(SPACE))
    assert SPACE in set(store.namespaces("brain"))
    store.put(SPACE, "more", [bytes(2 * MB)], ttl=100)
    store.sweep()
    store.delete(SPACE, "key")
    store.drop(SPACE)
    assert not list(store.scan(SPACE))


def refuse_to_enter(folder: Path, monkeypatch) -> None:
    """Refuse to open a folder, or anything below it; root may enter what no mode allows."""
    for name in ("open", "stat"):
        real = getattr(os, name)

        def refusing(path, *args, real=real, **kwargs):
            if str(path).startswith(f"{folder}"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return real(path, *args, **kwargs)

        monkeypatch.setattr(os, name, refusing)


@needs_disk
def test_disk_without_files_is_passed_over_and_nothing_is_noted_of_it(tmp_path, memory, monkeypatch, caplog):
    with mounted_disk(tmp_path / "tiny", 64, "-N", "16") as tiny:
        with pytest.raises(OSError, match="No space"):
            [(tiny / str(number)).touch() for number in range(1000)]
        monkeypatch.setattr(spill_roots, "roots", lambda: [str(tiny), str(tmp_path / "free")])
        store = SmallSharedMemory(memory)
        with caplog.at_level(logging.WARNING, "dash_brain"):
            for _ in range(3):
                with pytest.raises(StoreFull):
                    store.put(SPACE, "key", patterned(20 * MB))
        assert caplog.text.count(f"spilled to disk in {tiny}: ") == caplog.text.count("No space left") == 1
        (tmp_path / "free").mkdir()
        store.put(SPACE, "key", patterned(20 * MB))
        check_pattern(store.get(SPACE, "key"))
        store.close()


def test_folder_of_which_nothing_can_be_noted_is_removed(tmp_path, disk):
    with mounted(tmp_path / "few", "size=32m,nr_inodes=60") as memory:
        store = SmallSharedMemory(memory)
        store.put("brain/spilled", "small", [b"here"])
        with pytest.raises(OSError, match="No space"):
            [(memory / str(number)).touch() for number in range(100)]
        for _ in range(3):
            with pytest.raises(StoreFull):
                store.put("brain/spilled", "key", patterned(20 * MB))
        assert not list(disk.rglob("spill-*"))


@needs_disk
def test_folder_on_a_disk_that_may_only_be_read_is_read_and_another_written(tmp_path, memory, monkeypatch):
    (tmp_path / "free").mkdir()
    with mounted_disk(tmp_path / "first", 64) as first:
        monkeypatch.setattr(spill_roots, "roots", lambda: [str(first), str(tmp_path / "free")])
        store = SmallSharedMemory(memory)
        store.put(SPACE, "key", patterned(20 * MB))
        subprocess.run(["mount", "-o", "remount,ro", str(first)], check=True)
        another = SmallSharedMemory(memory)  # which has not seen the disk before
        another.put(SPACE, "new", patterned(20 * MB))
        store.put(SPACE, "newer", patterned(20 * MB))
        for key in ("key", "new", "newer"):
            check_pattern(store.get(SPACE, key))
        assert len(list(folder_on(tmp_path / "free").iterdir())) == 2
        store.close()
        another.close()


def test_folder_that_cannot_be_made_is_named_in_full(tmp_path):
    named = rf"{tmp_path}/few/{OUTER} cannot be made .*No space.*file://"
    with (
        mounted(tmp_path / "few", "size=32m,nr_inodes=1") as folder,
        pytest.raises(StoreUnavailable, match=named),
    ):
        SmallSharedMemory(folder).get(SPACE, "key")


def test_place_that_cannot_be_opened_costs_only_what_lies_there(tmp_path, memory, disk, monkeypatch):
    (tmp_path / "free").mkdir()
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(disk), str(tmp_path / "free")])
    store = SmallSharedMemory(memory)
    store.put("session/a", "key", patterned(20 * MB), ttl=1000)
    store.put("session/a", "small", [b"here"], ttl=1000)
    store.close()
    disk.rename(disk.with_name("kept"))
    disk.symlink_to(disk)  # ELOOP, as a disk that died may say EIO
    store.sweep()
    assert set(store.scan("session/a")) == {"small"}
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        store.get("session/a", "key")
    store.put("session/a", "new", patterned(20 * MB), ttl=1000)
    check_pattern(store.get("session/a", "new"))
    store.close()
    disk.unlink()
    disk.with_name("kept").rename(disk)
    check_pattern(store.get("session/a", "key"))


def test_lack_of_descriptors_is_not_taken_for_a_planted_folder(store, monkeypatch):
    store.close()
    store.usage()
    real = os.open

    def refusing(path, *args, **kwargs):
        if str(path).startswith("spill-"):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(OSError, match="files") as caught:
        store.get(SPACE, "key")
    assert "planted" not in str(caught.value)


def test_session_has_its_quota_back_when_its_values_went_with_the_folder(memory, disk):
    store = SmallSharedMemory(memory)
    for number in range(3):
        store.put("session/a", str(number), patterned(20 * MB), ttl=1000, retention=VALUE.within(70 * MB))
    shutil.rmtree(disk / OUTER)
    store.sweep()
    store.put("session/a", "new", patterned(20 * MB), retention=VALUE.within(70 * MB))
    check_pattern(store.get("session/a", "new"))


@needs_disk
def test_what_others_spilled_out_of_our_sight_takes_no_share_of_our_disk(tmp_path, memory, disk):
    others = SmallSharedMemory(memory, size="4MiB")
    for number in range(4):
        others.put(SPACE, str(number), [bytes(8 * MB)])
    others.close()
    with mounted_image(disk_image(tmp_path / "ours.image", 64), disk):
        store = SmallSharedMemory(memory)
        for number in range(2):
            store.put("brain/ours", str(number), patterned(8 * MB))
            check_pattern(store.get("brain/ours", str(number)))
        with pytest.raises(StoreFull):  # it is half of the disk still
            assert [store.put("brain/ours", str(number), patterned(8 * MB)) for number in range(2, 6)] == []
        store.close()
