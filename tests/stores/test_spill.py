"""What has no room in shared memory goes to disk, and is read from there as if nothing had happened."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from types import SimpleNamespace

import pytest

from dash_brain.errors import DecodeError, StoreFull, StoreUnavailable, ValueConflict, ValueMissing
from dash_brain.stores import FileStore, SharedMemoryStore
from dash_brain.stores.base import ABSENT
from dash_brain.stores.mapped import put
from dash_brain.stores.mapped.space import backoff
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.spill import roots as spill_roots
from dash_brain.stores.mapped.spill.roots import SpillFolder
from dash_brain.stores.mapped.volume.folder import Volume
from dash_brain.stores.namespaces import VALUE
from dash_brain.testing import Clock, plain
from tests.needs import needs_root
from tests.processes import FORKSERVER
from tests.stores.fallbacks import SmallFallback, SmallSharedMemory
from tests.stores.places import ledger_of, mounted, place
from tests.stores.workers import check_pattern, patterned

MB = 1 << 20
SPACE = "brain/spilled"
pytestmark = needs_root


@pytest.fixture(params=[SmallSharedMemory, SmallFallback])
def store(request, memory):
    """A store for 16 MB that is full of what is never evicted."""
    store = request.param(memory)
    for number in range(15):
        store.put("brain/for good", str(number), patterned(MB - 9000))
    return store


def spilled_files(disk):
    return {path for path in disk.rglob("*") if path.is_file()}


def test_spilled_value_is_replaced_and_deleted_by_its_id_alone(store, disk):
    first = store.put(SPACE, "key", patterned(4 * MB), replaces=ABSENT)
    frames = patterned(3 * MB)
    second = store.put(SPACE, "key", frames, replaces=first)
    for expected in (ABSENT, first):
        with pytest.raises(ValueConflict):
            store.put(SPACE, "key", patterned(5 * MB), replaces=expected)
    assert store.delete(SPACE, "key", object_id=first) is False
    assert plain(store.get(SPACE, "key")) == frames
    assert len(spilled_files(disk)) == 1
    assert store.delete(SPACE, "key", object_id=second) is True
    with pytest.raises(ValueConflict):
        store.put(SPACE, "key", patterned(5 * MB), replaces=second)
    assert spilled_files(disk) == set()


def test_value_without_room_is_spilled_and_read_by_other_processes(store, memory, disk):
    frames = patterned(4 * MB)
    object_id = store.put(SPACE, "key", frames, ttl=1000, meta={"type": "bytes"})
    assert len(spilled_files(disk)) == 1
    check_pattern(store.get(SPACE, "key"))
    with ProcessPoolExecutor(1, mp_context=FORKSERVER) as pool:
        assert pool.submit(read_one, partial(type(store), memory), SPACE, "key").result() == frames
    info = store.info(SPACE, "key")
    assert (info.object_id, dict(info.meta), info.nbytes > 4 * MB) == (object_id, {"type": "bytes"}, True)
    assert list(store.scan(SPACE)) == ["key"]
    assert SPACE in set(store.namespaces("brain"))
    assert store.usage() < 16 * MB, "what is on disk takes no memory"


def read_one(reopen, namespace, key):
    return plain(reopen().get(namespace, key))


def test_value_is_spilled_also_when_a_sweep_removes_its_empty_folder_meanwhile(store, disk, monkeypatch):
    real, swept = Volume.make_folder, iter([True])

    def make_folder(volume, path):
        real(volume, path)
        if next(swept, False):
            os.rmdir(path, dir_fd=volume.descriptor)

    monkeypatch.setattr(Volume, "make_folder", make_folder)
    store.put(SPACE, "key", patterned(4 * MB))
    check_pattern(store.get(SPACE, "key"))
    assert len(spilled_files(disk)) == 1


def test_reader_of_a_spilled_value_may_write_and_keeps_what_it_holds(store):
    store.put(SPACE, "key", [bytes(2 * MB)], ttl=1000)
    held = store.get(SPACE, "key")
    memoryview(held[0])[:5] = b"mine!"
    assert plain(store.get(SPACE, "key")) == [bytes(2 * MB)]
    store.delete(SPACE, "key")
    assert bytes(held[0][:6]) == b"mine!\0"


@pytest.mark.parametrize("way", ["replaced", "replaced by a small one", "deleted", "dropped", "expired"])
def test_spilled_file_goes_with_its_entry(store, disk, way):
    store.put(SPACE, "key", patterned(2 * MB), ttl=0 if way == "expired" else 1000)
    if way == "replaced":
        frames = patterned(3 * MB)
        store.put(SPACE, "key", frames, ttl=1000)
        assert plain(store.get(SPACE, "key")) == frames
        assert len(spilled_files(disk)) == 1
        return
    if way == "replaced by a small one":
        store.put(SPACE, "key", [b"small"])
        assert plain(store.get(SPACE, "key")) == [b"small"]
    elif way == "deleted":
        assert store.delete(SPACE, "key")
    elif way == "dropped":
        store.drop(SPACE)
    else:
        with pytest.raises(ValueMissing, match="expired"):
            store.get(SPACE, "key")
    assert not spilled_files(disk)
    assert ledger_of(store).spilled() == 0


def test_uses_and_lifetimes_of_spilled_values_are_noted(memory, disk):
    clock = Clock()
    store = SmallSharedMemory(memory, clock=clock)
    store.put(SPACE, "key", patterned(20 * MB), ttl=100)
    clock.advance(60)
    store.get(SPACE, "key")
    assert store.info(SPACE, "key").used == clock()
    store.touch(SPACE, "key", 100)
    clock.advance(60)
    check_pattern(store.get(SPACE, "key"))
    clock.advance(60)
    assert store.sweep() == 1
    assert not spilled_files(disk)


def test_what_nobody_uses_goes_before_anything_is_spilled_and_what_is_used_stays(memory, disk):
    clock = Clock()
    store = SmallSharedMemory(memory, clock=clock)
    store.put("session/a", "idle", patterned(5 * MB), ttl=1e5)
    clock.advance(1000)
    store.put("session/a", "used", patterned(5 * MB), ttl=1e5)
    store.put("session/a", "new", patterned(8 * MB), ttl=1e5)
    assert not spilled_files(disk)
    with pytest.raises(ValueMissing):
        store.get("session/a", "idle")
    store.put("session/a", "newer", patterned(8 * MB), ttl=1e5)
    assert len(spilled_files(disk)) == 1
    for key in ("used", "new", "newer"):
        check_pattern(store.get("session/a", key))


def test_value_that_goes_to_disk_anyway_evicts_nothing(memory, disk):
    store = SmallSharedMemory(memory)
    store.put("brain/a", "for good", patterned(8 * MB))
    for number in range(7):
        store.put("memo/a", str(number), patterned(MB - 9000), ttl=1000)
    store.put("brain/a", "large", patterned(12 * MB))
    assert len(spilled_files(disk)) == 1
    assert len(list(store.scan("memo/a"))) == 7


def test_what_nobody_needs_goes_while_one_value_after_the_other_is_spilled(memory, disk, monkeypatch):
    clock, ticks = Clock(), Clock()
    monkeypatch.setattr(backoff, "time", SimpleNamespace(monotonic=ticks, sleep=time.sleep))
    store = SmallSharedMemory(memory, clock=clock)
    for number in range(4):
        store.put("session/a", str(number), patterned(4 * MB - 9000), ttl=1e5)
    for number in range(8):
        store.put("session/b", str(number), patterned(MB), ttl=1e5)
        if number == 2:
            assert len(spilled_files(disk)) == 3
            for key in "0123":
                store.touch("session/a", key, 60)
        ticks.advance(0.4)
    assert len(spilled_files(disk)) <= 5
    assert len(list(store.scan("session/a"))) < 4


def test_what_nobody_uses_goes_from_a_full_disk_before_anything_that_is_used(memory, disk, monkeypatch):
    clock = Clock()
    store = SmallSharedMemory(memory, clock=clock)
    store.put("brain/a", "for good", patterned(9 * MB))
    for number in range(3):
        store.put("session/idle", str(number), patterned(8 * MB), ttl=1e5)
    assert len(spilled_files(disk)) == 3
    clock.advance(1000)
    store.put("session/used", "key", patterned(6 * MB), ttl=1e5)
    monkeypatch.setattr(SpillFolder, "missing", lambda _, nbytes, spilled: nbytes + spilled - 26 * MB)
    store.put("session/used", "new", patterned(8 * MB), ttl=1e5)
    assert set(store.scan("session/used")) == {"key", "new"}
    assert len(list(store.scan("session/idle"))) == 2
    assert len(spilled_files(disk)) == 3


def test_full_memory_is_not_searched_for_every_value_that_is_spilled(store, monkeypatch):
    walks = []
    real = Inventory.candidates
    monkeypatch.setattr(Inventory, "candidates", lambda *args, **kw: walks.append(1) or real(*args, **kw))
    monkeypatch.setattr("dash_brain.stores.mapped.space.backoff._IN_VAIN", 1000.0)
    for number in range(50):
        store.put(SPACE, str(number), patterned(2 * MB if number == 0 else 300_000), ttl=1000)
    assert len(walks) <= 10


def test_sweep_leaves_what_is_in_use_and_counts_it(store, disk):
    store.put(SPACE, "key", patterned(2 * MB), ttl=1000)
    before = ledger_of(store).spilled()
    assert store.sweep() == 0
    check_pattern(store.get(SPACE, "key"))
    assert ledger_of(store).spilled() == before == store.info(SPACE, "key").nbytes


DYING = """
import os, signal, sys
from tests.stores import fallbacks
from tests.stores.workers import patterned
os.symlink = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
getattr(fallbacks, sys.argv[1])(sys.argv[2]).put("brain/spilled", "other", patterned(3_000_000), ttl=1000)
"""


NAMELESS = """
import sys
from dash_brain.stores.mapped.spill import roots as spill_roots
from dash_brain.stores.mapped.spill.roots import SpillFolder
disk = sys.argv.pop()
spill_roots.roots = lambda: [disk]
"""


def test_file_of_a_killed_writer_is_removed_by_the_next_sweep(store, memory, disk):
    store.put(SPACE, "key", patterned(2 * MB), ttl=1000)
    died = subprocess.run([sys.executable, "-c", DYING, type(store).__name__, str(memory)])
    assert died.returncode == -signal.SIGKILL
    assert len(spilled_files(disk)) == 2
    store.sweep()
    assert len(spilled_files(disk)) == 1
    check_pattern(store.get(SPACE, "key"))


def test_maker_killed_before_its_folder_is_named_leaves_nothing(memory, disk):
    work = NAMELESS + DYING.replace("3_000_000", "20_000_000")
    died = subprocess.run([sys.executable, "-c", work, "SmallSharedMemory", str(memory), str(disk)])
    assert died.returncode == -signal.SIGKILL
    store = SmallSharedMemory(memory)
    store.sweep()
    assert not list(disk.rglob("spill-*"))


def test_nobody_waits_for_long_for_a_maker_that_was_stopped(memory, disk):
    work = NAMELESS + DYING.replace("3_000_000", "20_000_000").replace("SIGKILL", "SIGSTOP")
    maker = subprocess.Popen([sys.executable, "-c", work, "SmallSharedMemory", str(memory), str(disk)])
    try:
        os.waitid(os.P_PID, maker.pid, os.WSTOPPED)
        store = SmallSharedMemory(memory)
        store.put(SPACE, "key", patterned(20 * MB))
        check_pattern(store.get(SPACE, "key"))
    finally:
        maker.kill()
        maker.wait()


def test_file_that_is_being_written_is_left_by_the_sweep(store, disk, monkeypatch):
    other = type(store)(store.folder)
    real = put._link

    def swept_meanwhile(*args):
        other.sweep()
        return real(*args)

    monkeypatch.setattr(put, "_link", swept_meanwhile)
    store.put(SPACE, "key", patterned(2 * MB), ttl=1000)
    check_pattern(other.get(SPACE, "key"))


def test_folder_removed_by_hand_means_misses_then_works_again(store, disk):
    store.put(SPACE, "key", patterned(2 * MB), ttl=1000)
    other = type(store)(store.folder)
    check_pattern(other.get(SPACE, "key"))
    shutil.rmtree(disk / f"dash_brain-{os.geteuid()}")
    for one in (store, other):
        with pytest.raises(ValueMissing):
            one.get(SPACE, "key")
        with pytest.raises(ValueMissing):
            one.info(SPACE, "key")
    other.sweep()
    assert list(store.scan(SPACE)) == []
    assert store.delete(SPACE, "key")
    assert ledger_of(store).spilled() == 0
    store.put(SPACE, "again", patterned(2 * MB), ttl=1000)
    check_pattern(other.get(SPACE, "again"))
    assert len(list(disk.rglob("spill-*"))) == 1


def test_what_was_in_a_folder_that_nobody_saw_going_can_be_replaced_and_expires(store, disk):
    clock = Clock()
    store = type(store)(store.folder, clock=clock)
    for key in ("key", "other"):
        store.put(SPACE, key, patterned(2 * MB), ttl=1000)
    store.close()
    shutil.rmtree(disk / f"dash_brain-{os.geteuid()}")
    store.put(SPACE, "key", patterned(2 * MB), ttl=5000)
    check_pattern(store.get(SPACE, "key"))
    store.sweep()
    assert ledger_of(store).spilled() == 2 * store.info(SPACE, "key").nbytes
    clock.advance(2000)
    assert store.sweep() == 1
    assert ledger_of(store).spilled() == store.info(SPACE, "key").nbytes
    assert len(spilled_files(disk)) == 1


def test_folder_of_another_container_is_not_taken_for_an_empty_one(store, disk):
    store.put(SPACE, "key", patterned(2 * MB), ttl=1000)
    hidden = disk.rename(disk.with_name("hidden"))
    disk.mkdir()
    elsewhere = type(store)(store.folder)
    with pytest.raises(ValueMissing):
        elsewhere.get(SPACE, "key")
    elsewhere.sweep()
    disk.rmdir()
    hidden.rename(disk)
    check_pattern(elsewhere.get(SPACE, "key"))


def test_full_disk_means_that_what_is_held_makes_room_or_the_value_is_refused(tmp_path, memory, monkeypatch):
    with mounted(tmp_path / "full", "size=4m") as small:
        monkeypatch.setattr(spill_roots, "roots", lambda: [str(small)])
        monkeypatch.setattr(spill_roots, "is_disk", lambda _: True)
        store = SmallSharedMemory(memory)
        for number in range(6):
            store.put("session/a", str(number), patterned(2 * MB), ttl=1e5)
        store.put("session/a", "new", patterned(8 * MB), ttl=1e5)
        check_pattern(store.get("session/a", "new"))
        with pytest.raises(StoreFull):
            store.put("session/a", "huge", patterned(20 * MB), ttl=1e5)
        monkeypatch.setattr(SpillFolder, "missing", lambda *_: 0)
        with pytest.raises(StoreFull):
            store.put("session/a", "huge", patterned(20 * MB), ttl=1e5)
        assert not spilled_files(small)


def test_half_of_what_the_disk_had_free_stays_free(tmp_path, memory, monkeypatch):
    with mounted(tmp_path / "half", "size=16m") as small:
        monkeypatch.setattr(spill_roots, "roots", lambda: [str(small)])
        monkeypatch.setattr(spill_roots, "is_disk", lambda _: True)
        store = SmallSharedMemory(memory)
        with pytest.raises(StoreFull):  # noqa: PT012
            for number in range(64):
                store.put("brain/for good", str(number), patterned(MB))
        assert 6 * MB < sum(path.stat().st_size for path in spilled_files(small)) <= 8 * MB


def test_without_a_disk_nothing_is_spilled(memory, monkeypatch):
    monkeypatch.setattr(spill_roots, "roots", lambda: ["/dev/shm", "/not/there"])
    store = SmallSharedMemory(memory)
    with pytest.raises(StoreFull):
        store.put(SPACE, "key", patterned(20 * MB))


def test_files_on_disk_and_links_are_sealed_and_bound_to_their_place(store, disk):
    frames = patterned(2 * MB)
    store.put(SPACE, "one", frames, ttl=1000)
    store.put(SPACE, "two", patterned(2 * MB), ttl=1000)
    one, two = place(store) / SPACE / "one", place(store) / SPACE / "two"
    text = os.readlink(one)
    assert text.startswith("spilled:")
    two.unlink()
    two.symlink_to(text)
    os.utime(two, (0, 0), follow_symlinks=False)  # for good, as far as that says
    with pytest.raises(DecodeError):
        store.get(SPACE, "two")
    assert plain(store.get(SPACE, "one")) == frames
    for planted in ("/etc/passwd", "spilled:../../x", text[:-1], f"{text}0", text.upper()):
        two.unlink()
        two.symlink_to(planted)
        os.utime(two, (0, 0), follow_symlinks=False)
        with pytest.raises(DecodeError):
            store.get(SPACE, "two")
    for file in spilled_files(disk):
        assert file.stat().st_mode & 0o777 == 0o400
        assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", ["gone", "a file", "a folder", "to nowhere", "to a file", "relative"])
def test_damaged_record_means_misses_and_hinders_nothing_else(store, damage):
    store.put(SPACE, "key", patterned(2 * MB), ttl=1000)
    record = place(store) / "spill"
    record.unlink()
    if damage == "a file":
        record.write_text("spill-x")
    elif damage == "a folder":
        record.mkdir()
    elif damage != "gone":
        record.symlink_to({"to nowhere": "/not/there", "to a file": "/proc/version", "relative": "."}[damage])
    fresh = type(store)(store.folder)
    with pytest.raises(ValueMissing, match="does not see"):
        fresh.get(SPACE, "key")
    assert fresh.sweep() == 0
    fresh.put(SPACE, "small", [b"small"])
    assert fresh.delete(SPACE, "key")
    if damage == "gone":
        fresh.put(SPACE, "other", patterned(2 * MB))
        check_pattern(type(store)(store.folder).get(SPACE, "other"))
    else:
        with pytest.raises(StoreFull):
            fresh.put(SPACE, "other", patterned(20 * MB))


def test_first_value_is_spilled_where_not_a_page_is_left(memory, disk):
    for kind in (SmallSharedMemory, SmallFallback):
        store = kind(memory, kind.__name__)
        store.put("session/a", "small", [b"here"], ttl=1000, retention=VALUE.within(64 * MB))
        with contextlib.suppress(OSError), (memory / "others").open("wb", buffering=0) as others:
            while True:
                others.write(bytes(4096))
        assert not os.statvfs(memory).f_bfree
        store.put("session/a", "key", patterned(2 * MB), ttl=1000, retention=VALUE.within(64 * MB))
        check_pattern(store.get("session/a", "key"))
        (memory / "others").unlink()


def test_spilled_values_count_for_the_quota(store, disk):
    for number in range(5):
        store.put("session/a", str(number), patterned(2 * MB), ttl=1000, retention=VALUE.within(5 * MB))
    assert len(list(store.scan("session/a"))) == len(spilled_files(disk)) == 2


def test_processes_that_spill_and_replace_at_once_leave_no_stray_file(store, memory, disk):
    store.put(SPACE, "0", patterned(1_200_000), ttl=1000)  # says where the others spill to
    with ProcessPoolExecutor(3, mp_context=FORKSERVER) as pool:
        for run in [pool.submit(spill_often, partial(type(store), memory)) for _ in range(3)]:
            run.result()
    links = (os.readlink(place(store) / SPACE / str(key)) for key in store.scan(SPACE))
    files = Counter(link.split(":")[1].split("/")[1] for link in links)
    assert set(files) == {path.name for path in spilled_files(disk)}
    assert ledger_of(store).spilled() == sum(store.info(SPACE, key).nbytes for key in store.scan(SPACE))


def spill_often(reopen):
    store = reopen()
    for number in range(30):
        store.put(SPACE, str(number % 4), patterned(1_200_000), ttl=1000)
        try:
            check_pattern(store.get(SPACE, str((number + 1) % 4)))
        except ValueMissing:
            assert number % 4 == 2 or number < 8, "only what is deleted may be missing"
        if number % 7 == 0:
            store.delete(SPACE, "3")
        store.put(SPACE, "3", patterned(1_200_000), ttl=1000)


def test_value_in_use_makes_room_though_what_is_idle_was_searched_in_vain(memory, monkeypatch):
    monkeypatch.setattr(spill_roots, "roots", list)
    monkeypatch.setattr(backoff, "_IN_VAIN", 1000.0)
    store = SmallSharedMemory(memory)
    for number in range(3):
        store.put("session/a", str(number), patterned(4 * MB - 9000), ttl=1e5)
    (memory / "others").write_bytes(bytes(18 * MB))
    store.put("session/a", "new", patterned(4 * MB - 9000), ttl=1e5)
    check_pattern(store.get("session/a", "new"))


def test_only_shared_memory_spills(memory, disk):
    assert SharedMemoryStore._spills
    with pytest.raises(StoreFull):
        FileStore(memory).put(SPACE, "key", patterned(20 * MB))
    assert not spilled_files(disk)


def test_links_that_claim_more_than_any_disk_has_are_no_objects_and_hinder_no_sweep(store):
    store.put(SPACE, "key", [bytes(2 * MB)], ttl=1000)
    folder = place(store) / SPACE
    for number in range(12):
        (folder / f"forged{number}").symlink_to(f"spilled:{number:032x}/{'0' * 32}:{'9' * 18}")
    store.sweep()
    assert ledger_of(store).spilled() < 3 * MB
    assert plain(store.get(SPACE, "key")) == [bytes(2 * MB)]


@pytest.mark.parametrize("number", [errno.EIO, 117], ids=["EIO", "EUCLEAN"])
def test_file_that_the_disk_cannot_read_costs_that_file_only(store, disk, monkeypatch, number):
    long_key = "k" * 300
    for key in ("damaged", "sound", long_key):
        store.put(SPACE, key, patterned(2 * MB), ttl=1000)
    damaged = os.readlink(place(store) / SPACE / "damaged").split("/")[1].split(":")[0]
    for name in ("open", "stat", "unlink", "utime"):
        real = getattr(os, name)

        def failing(path, *args, real=real, **kwargs):
            if path == damaged:
                raise OSError(number, os.strerror(number))
            return real(path, *args, **kwargs)

        monkeypatch.setattr(os, name, failing)
    store.sweep()
    assert {"sound", long_key} <= set(store.scan(SPACE))
    assert SPACE in set(store.namespaces("brain"))
    with pytest.raises(StoreUnavailable):
        store.get(SPACE, "damaged")
    check_pattern(store.get(SPACE, "sound"))
    store.put(SPACE, "new", patterned(2 * MB), ttl=1000)
    check_pattern(store.get(SPACE, "new"))
    store.put(SPACE, "damaged", [b"small"])
    assert plain(store.get(SPACE, "damaged")) == [b"small"]
    store.sweep()
