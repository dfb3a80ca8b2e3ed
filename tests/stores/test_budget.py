"""A store knows what it holds and what it may hold, without looking for it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from dash_brain import Brain
from dash_brain.errors import StoreFull, StoreUnavailable
from dash_brain.stores import FileStore, SharedMemoryStore
from dash_brain.stores.mapped.space import capacity, ledger, memory_pressure
from dash_brain.stores.mapped.system import cgroups, platform
from dash_brain.testing import plain
from tests.needs import needs_root
from tests.processes import FORKSERVER
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import bytes_taken, ledger_of, mounted, mounted_disk, needs_disk, place
from tests.stores.workers import put_and_delete

SPACE = "brain/budget"


def held(store):
    """Return the bytes of all objects, found by looking at each."""
    return sum(store.info(SPACE, key).nbytes for key in store.scan(SPACE))


# --- the budget ---


@needs_root
def test_store_takes_half_of_a_small_file_system_at_most_and_says_how_little_that_is(tmp_path, caplog):
    with mounted(tmp_path / "small", "size=64m") as folder:
        store = FileStore(folder, size="2GiB")
        assert store.budget() == 32 << 20
        assert "2.1 GB was asked for; the place allows 33.6 MB" in caplog.text
        assert "--shm-size" in caplog.text
        store.put(SPACE, "key", [bytes(8 << 20)])
        store.resize(20 << 20)
        assert FileStore(folder).budget() == 20 << 20


@needs_disk
def test_disk_that_others_filled_is_shared_with_them(tmp_path):
    with mounted_disk(tmp_path / "disk", 64) as folder:
        store = FileStore(folder)
        store.put(SPACE, "key", [bytes(4 << 20)])
        free = os.statvfs(folder)
        with (folder / "others").open("wb") as others:
            os.posix_fallocate(others.fileno(), 0, free.f_bavail * free.f_frsize - (20 << 20))
        store.sweep()
        assert 13 << 20 < store.budget() < 15 << 20
        with suppress(StoreFull):
            for number in range(20):
                store.put(SPACE, str(number), [bytes(1 << 20)])
        free = os.statvfs(folder)
        assert free.f_bavail * free.f_frsize > 9 << 20


@needs_root
def test_small_place_is_said_once(tmp_path, caplog):
    with mounted(tmp_path / "small", "size=64m") as folder:
        for _ in range(3):
            FileStore(folder).secret()
    assert caplog.text.count("has room for 33.6 MB only") == 1


def test_large_place_is_not_worth_a_word(files, caplog):
    assert files.budget() > capacity.SMALL
    files.resize(1000)
    FileStore(files.folder).secret()
    assert not caplog.text


def groups(tmp_path, membership, limits):
    """Return a made-up /proc/self/cgroup and /sys/fs/cgroup."""
    (tmp_path / "membership").write_text(membership)
    for name, content in limits.items():
        file = tmp_path / "cgroups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return str(tmp_path / "membership"), str(tmp_path / "cgroups")


@pytest.mark.parametrize(
    ("membership", "limits", "found"),
    [
        ("0::/\n", {"memory.max": "1000\n"}, {1000}),
        ("0::/\n", {"memory.max": "max\n"}, set()),
        ("0::/\n", {"memory.max": "1000\n", "memory.high": "900\n"}, {1000, 900}),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "500\n"}, {500}),
        ("0::/not/seen/here\n", {"memory.max": "700\n"}, {700}),
        ("0::/../x\n", {"memory.max": "1\n"}, {1}),
        ("4:cpu,memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "300\n"}, {300}),
        ("4:cpu:/a\n", {"memory/a/memory.limit_in_bytes": "300\n"}, set()),
        ("", {}, set()),
        ("0::/\n", {"memory.max": "1000\n", "memory.high": "0\n"}, {1000}),
        ("no group\n\n7:memory\n0::/\n", {"memory.max": "1000\n"}, {1000}),
    ],
)
def test_limits_of_both_kinds_of_control_groups_are_found(tmp_path, membership, limits, found):
    assert set(cgroups.limits(*groups(tmp_path, membership, limits))) == found


@pytest.mark.parametrize("version", ["first", "second"])
def test_memory_that_is_left_is_what_is_free_and_what_the_kernel_can_let_go_of(tmp_path, version):
    if version == "first":
        names, cached = ("memory/a/memory.limit_in_bytes", "memory/a/memory.usage_in_bytes"), "total_"
        membership, said = "4:memory:/a\n", "memory/a/memory.stat"
    else:
        names, cached = ("a/memory.max", "a/memory.current"), ""
        membership, said = "0::/a\n", "a/memory.stat"
    files = dict(zip(names, ("1000\n", "900\n"), strict=True))
    files[said] = f"shmem 300\n{cached}inactive_file 50\n{cached}active_file 7\n"
    (group,) = cgroups.groups(*groups(tmp_path, membership, files))
    assert group.free(enough=100) == 100
    assert group.free(enough=101) == 157


def test_group_that_is_gone_bounds_nothing(tmp_path):
    (group,) = cgroups.groups(*groups(tmp_path, "0::/\n", {"memory.max": "1000\n"}))
    assert group.free(enough=10) == 1000


@pytest.mark.parametrize("said", [None, "anon 5\n", "inactive_file\n"])
def test_memory_is_what_is_free_where_nobody_says_what_the_kernel_can_let_go_of(tmp_path, said):
    files = {"memory.max": "1000\n", "memory.current": "990\n", **({"memory.stat": said} if said else {})}
    (group,) = cgroups.groups(*groups(tmp_path, "0::/\n", files))
    assert group.free(enough=100) == 10


def test_memory_that_is_measured_anew_while_somebody_asks_is_still_known(monkeypatch):
    found = Groups(limit=1 << 30, used=0)
    monkeypatch.setattr(memory_pressure, "groups", lambda: found)
    memory = memory_pressure.MemoryPressure()
    memory.measure()

    class Measuring(int):
        """A limit that is read as the groups change."""

        def __floordiv__(self, other):
            monkeypatch.setattr(memory_pressure, "groups", list)
            memory.measure()
            return int(self) // other

    found.limit = Measuring(1 << 30)
    assert memory.left(1000) == (1 << 30) - (64 << 20)


class Groups(list):
    """Control groups that count how often somebody looked."""

    def __init__(self, limit, used):
        super().__init__([self])
        self.limit, self.used, self.looks = limit, used, 0

    def free(self, _):
        self.looks += 1
        return self.limit - self.used


@needs_root
def test_memory_is_looked_at_once_for_a_megabyte_of_values_however_small_they_are(tmp_path, monkeypatch):
    found = Groups(limit=1 << 30, used=0)
    monkeypatch.setattr(memory_pressure, "groups", lambda: found)
    with mounted(tmp_path / "memory", "size=64m") as folder:
        store = FileStore(folder)
        for number in range(100):
            store.put(SPACE, f"tiny {number}", [bytes(60_000)])
        assert found.looks == 5, "6.1 MB, and each look after 18 values"
        for number in range(11):
            store.put(SPACE, str(number), [bytes(100_000)])
        assert found.looks == 6
        found.used = found.limit
        with pytest.raises(StoreFull, match="memory of this container is used up"):
            store.put(SPACE, "large", [bytes(2_000_000)])
        with pytest.raises(StoreFull, match="memory of this container is used up"):
            store.put(SPACE, "tiny", [b"x"])
        found.used = 0
        store.put(SPACE, "tiny", [b"x"])
        store.put(SPACE, "large", [bytes(2_000_000)])


class OthersGroups(Groups):
    """Control groups whose memory is not what the store takes; a little of it comes and goes."""

    def free(self, _):
        return super().free(_) + 4096 * self.looks


@needs_root
def test_values_in_the_memory_of_another_container_stay_when_our_own_lacks_memory(tmp_path, monkeypatch):
    found = OthersGroups(limit=1 << 30, used=0)
    monkeypatch.setattr(memory_pressure, "groups", lambda: found)
    with mounted(tmp_path / "memory", "size=64m") as folder:
        store = FileStore(folder)
        for number in range(20):
            store.put("memo/theirs", str(number), [bytes(1_000_000)])
        found.used = found.limit - (64 << 20) - 500_000
        with pytest.raises(StoreFull, match="memory of this container is used up"):
            store.put(SPACE, "ours", [bytes(1_500_000)])
        assert len(list(store.scan("memo/theirs"))) >= 18


@needs_root
def test_value_that_has_no_memory_is_held_no_longer_than_its_put(tmp_path, monkeypatch):
    """Else the next ones would lack what a traceback holds until the garbage collector comes."""
    monkeypatch.setattr(memory_pressure, "groups", lambda: Groups(limit=1 << 30, used=1 << 30))

    class Held(bytearray):
        """Bytes that can be watched."""

    with mounted(tmp_path / "memory", "size=64m") as folder:
        frame = Held(8_000_000)
        watched = weakref.ref(frame)
        gc.disable()
        try:
            with pytest.raises(StoreFull, match="memory of this container is used up"):
                FileStore(folder).put(SPACE, "key", [frame])
            del frame
            assert watched() is None
        finally:
            gc.enable()


@needs_root
def test_value_has_memory_once_others_have_written_theirs(tmp_path, monkeypatch):
    found = Groups(limit=1 << 30, used=(1 << 30) - (64 << 20) - 20_000_000)
    monkeypatch.setattr(memory_pressure, "groups", lambda: found)
    with mounted(tmp_path / "memory", "size=64m") as folder:
        store, other = FileStore(folder), FileStore(folder)
        store.secret(), other.secret()
        ledger_of(other).reserve(16_000_000)
        done = threading.Timer(0.3, ledger_of(other).reserve, [-16_000_000])
        done.start()
        store.put(SPACE, "key", [bytes(8_000_000)])
        assert ledger_of(other).reserved() == 0, "it waited"
        assert bytes_taken(store) == held(store)


def test_quarter_of_the_containers_memory_bounds_shared_memory_and_no_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "limits", lambda: [400 << 20])
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        assert capacity.allowed_at(descriptor, in_memory=True) == 100 << 20
        assert capacity.allowed_at(descriptor, in_memory=False) > 100 << 20
    finally:
        os.close(descriptor)


def test_memory_is_told_from_disk():
    assert platform.is_memory(os.stat("/dev/shm").st_dev)
    assert not platform.is_memory(os.stat(Path(__file__).parent).st_dev)


def test_store_on_a_small_disk_is_not_told_of_shared_memory(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(platform, "is_memory", lambda _: False)
    monkeypatch.setattr(capacity, "allowed_at", lambda *_, **__: 1_000_000)
    FileStore(tmp_path).secret()
    assert "has room for 1.0 MB only. Give it more: a folder on a larger disk" in caplog.text
    assert "shm" not in caplog.text


def test_budget_is_kept_for_whoever_opens_the_store(tmp_path):
    FileStore(tmp_path, size="5MB").secret()
    assert FileStore(tmp_path).budget() == 5_000_000
    FileStore(tmp_path).resize(6_000_000)
    assert FileStore(tmp_path).budget() == 6_000_000


def test_budget_that_was_set_is_not_undone_by_who_opens_the_store_with_another_size(tmp_path, caplog):
    FileStore(tmp_path, size="5MB").resize(6_000_000)
    assert FileStore(tmp_path, size="6MB").budget() == 6_000_000
    assert not caplog.records
    assert FileStore(tmp_path, size="9MB").budget() == 6_000_000
    assert "has a budget of 6.0 MB already" in caplog.text
    assert "Brain.resize()" in caplog.text


def test_nothing_is_free_when_more_is_used_than_a_late_budget_allows(tmp_path):
    FileStore(tmp_path).put("brain/default", "key", [bytes(3_000_000)])
    brain = Brain(store=FileStore(tmp_path, size="1MB"))
    assert (brain.size(), brain.free()) == (1_000_000, 0)


def test_brain_says_what_is_used_and_free_and_can_be_resized(tmp_path):
    brain = Brain(path=tmp_path)
    brain["a"] = b"x" * 300_000
    brain.resize(50_000_000)
    assert (brain.size(), brain.bytes, brain.mb) == (50_000_000, 50_000_000, "50 MB")
    assert 300_000 < brain.used() < 320_000
    assert brain.used() + brain.free() == brain.size()
    with pytest.raises(StoreFull, match=r"100\.0 KB is less than the 303\.1 KB"):
        brain.resize(100_000)
    assert Brain(path=tmp_path).size() == 50_000_000
    assert brain["a"] == b"x" * 300_000


# --- the ledger ---


@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_processes_that_put_and_delete_at_once_lose_no_byte(tmp_path, kind):
    store = kind(tmp_path)
    store.secret()
    with ProcessPoolExecutor(4, mp_context=FORKSERVER) as pool:
        for done in [pool.submit(put_and_delete, partial(kind, tmp_path), 150) for _ in range(4)]:
            done.result()
    assert store.usage() == held(store) > 0


def test_threads_that_put_and_delete_at_once_lose_no_byte(files):
    threads = [threading.Thread(target=put_and_delete, args=(lambda: files, 150)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.usage() == held(files) > 0


def test_count_goes_on_when_those_who_counted_are_gone(tmp_path):
    store = FileStore(tmp_path)
    for number in range(20):
        one = FileStore(tmp_path)
        one.put(SPACE, str(number), [b"x" * 5000])
        if number % 3:
            one.delete(SPACE, str(number - 1))
        one.close()
        assert store.usage() == held(store)
    words = ledger_of(store)._words
    assert words[ledger._COUNT] == 2, "each newcomer took the slot that was free"


def test_more_processes_than_slots_are_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "SLOTS", 2)
    stores = [FileStore(tmp_path) for _ in range(2)]
    for store in stores:
        store.put(SPACE, "key", [b"x"])
    with pytest.raises(StoreUnavailable, match="2 processes"):
        FileStore(tmp_path).put(SPACE, "key", [b"x"])
    stores.pop().close()
    FileStore(tmp_path).put(SPACE, "key", [b"x"])
    assert stores[0].usage() == held(stores[0]) > 0


DYING = """
import os, signal, sys
from dash_brain.stores import FileStore
from dash_brain.stores.mapped.space import ledger
setattr(ledger.Ledger, sys.argv[2], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
store = FileStore(sys.argv[1])
store.put("brain/budget", "key", [b"x" * 100_000])
store.delete("brain/budget", "key")
"""


@pytest.mark.parametrize(("moment", "off"), [("reserve", 0), ("commit", -1), ("add", 1)])
def test_writer_killed_between_file_and_ledger_is_put_right_by_the_next_sweep(tmp_path, moment, off):
    store = FileStore(tmp_path)
    store.put(SPACE, "other", [b"x"])
    died = subprocess.run([sys.executable, "-c", DYING, str(tmp_path), moment])
    assert died.returncode == -signal.SIGKILL
    assert store.usage() - held(store) == off * 102_400
    store.sweep()
    assert store.usage() == held(store)
    assert bytes_taken(store) == held(store)


def test_promise_that_is_kept_is_never_seen_as_less(files, monkeypatch):
    files.secret()
    counts, seen = ledger_of(files), []

    class Watched:
        """Looks at the sum after each word that is written, as another process may."""

        def __init__(self, words):
            self.words = words

        def __getitem__(self, place):
            return self.words[place]

        def __setitem__(self, place, word):
            self.words[place] = word
            seen.append(counts.reserved() + counts.used())

    counts.reserve(4096)
    monkeypatch.setattr(counts, "_words", Watched(counts._words))
    counts.commit(4096)
    assert min(seen) == seen[-1] == 4096


def test_objects_that_come_while_the_sweep_counts_are_not_corrected_away(files, monkeypatch):
    files.put(SPACE, "a", [b"x" * 5000])
    other = FileStore(files.folder)
    real = ledger.Ledger.correct

    def late(self, counted, moved_before):
        other.put(SPACE, "b", [b"x" * 50_000])
        other.delete(SPACE, "a")
        real(self, counted, moved_before)

    monkeypatch.setattr(ledger.Ledger, "correct", late)
    files.sweep()
    assert files.usage() == held(files)


def test_folder_removed_by_hand_is_discounted_by_the_next_sweep(files):
    files.put("brain/gone", "key", [b"x" * 100_000])
    files.put(SPACE, "key", [b"x"])
    (place(files) / "brain/gone/key").unlink()
    files.sweep()
    assert files.usage() == held(files)


def test_forked_child_counts_for_itself(files):
    files.put(SPACE, "parent", [b"x" * 5000])
    child = os.fork()
    if not child:
        try:
            files.put(SPACE, "child", [b"x" * 5000])
            files.delete(SPACE, "parent")
            os._exit(0)
        finally:
            os._exit(2)
    files.put(SPACE, "again", [b"x" * 5000])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert files.usage() == held(files) == 2 * 8192


def test_failed_put_is_not_counted(files):
    files.put(SPACE, "key", [b"old"])
    for frames in ([], ["text"]):
        with pytest.raises((ValueError, TypeError)):
            files.put(SPACE, "key", frames)
    assert bytes_taken(files) == held(files)
    assert plain(files.get(SPACE, "key")) == [b"old"]


def test_new_store_can_be_opened_while_the_ledger_is_made_by_many(shared_memory):
    reopen = partial(SharedMemoryStore, shared_memory.name)
    with ProcessPoolExecutor(4, mp_context=FORKSERVER) as pool:
        for done in [pool.submit(put_and_delete, reopen, 20) for _ in range(8)]:
            done.result()
    assert shared_memory.usage() == held(shared_memory)
