"""Large values: mapped without a descriptor, written into large pages, and into those that others left."""

from __future__ import annotations

import ctypes
import errno
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from dash_brain.errors import StoreFull, StoreURLError
from dash_brain.stores import FileStore, open_store
from dash_brain.stores.mapped import get
from dash_brain.stores.mapped.volume import aligned_map, file_leases, large, pages, publish, spares
from dash_brain.stores.mapped.volume.aligned_map import LARGE_PAGE
from dash_brain.stores.mapped.volume.entries import READ
from tests.needs import missing, needs_root
from tests.programs import REPOSITORY
from tests.stores.places import mounted, mounted_disk, needs_disk, place, volume_of
from tests.torture.children import Child

SPACE = "brain/large"
SIZE = 5 << 20


def value(number: int, size: int = SIZE) -> list[bytes]:
    return [b"%d" % number, bytes([number % 256]) * size]


def check(frames, number: int, size: int = SIZE) -> None:
    assert [bytes(frame) for frame in frames] == value(number, size)


@pytest.fixture
def store(shared_memory):
    """A store in shared memory that has, for this test, nothing but large pages and spares."""
    shared_memory.put(SPACE, "first", [b"x"])
    if not volume_of(shared_memory).spares._trusted:
        missing("shared memory with leases")
    return shared_memory


def spares_of(store) -> list[str]:
    folder = place(store) / spares.HIDDEN
    return sorted(os.listdir(folder)) if folder.exists() else []


def number_of(store, key: str) -> int:
    return (place(store) / SPACE / key).stat().st_ino


# --- reading ---


def test_values_that_are_held_cost_no_descriptor(shared_memory):
    for key, size in (("mapped", 300_000), ("large", SIZE)):
        shared_memory.put(SPACE, key, value(1, size))
    shared_memory.get(SPACE, "mapped")
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    held = [shared_memory.get(SPACE, key) for key in ("mapped", "large") for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) == before
    check(held[0], 1, 300_000)
    check(held[-1], 1)


def test_thousand_values_are_held_where_64_files_may_be_open(tmp_path):
    code = f"""
import resource, sys
from dash_brain.stores import FileStore
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
store = FileStore({str(tmp_path)!r})
for number in range(10):
    store.put("brain/held", str(number), [b"head", bytes([number]) * 300_000])
held = [store.get("brain/held", str(number % 10)) for number in range(1000)]
assert all(frames[1] == bytes([number % 10]) * 300_000 for number, frames in enumerate(held))
held[0][1][:4] = b"mine"
assert bytes(held[10][1][:4]) == bytes(4)
"""
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_large_file_is_mapped_where_a_large_page_begins(tmp_path):
    for size in (LARGE_PAGE, LARGE_PAGE + 1, SIZE):
        path = tmp_path / str(size)
        path.write_bytes(os.urandom(size))
        with path.open("rb") as file:
            view = pages.map_private(file.fileno(), size)
        assert ctypes.addressof(ctypes.c_char.from_buffer(view)) % LARGE_PAGE == 0
        assert view == path.read_bytes()
        view[:4] = b"mine"
        assert path.read_bytes()[:4] != b"mine"


def test_what_is_mapped_is_unmapped_with_the_last_view(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(SIZE))

    def maps() -> int:
        with open("/proc/self/maps") as lines:
            return sum(str(path) in line for line in lines)

    with path.open("rb") as file:
        part = pages.map_private(file.fileno(), SIZE)[100:200]
    assert maps() == 1
    del part
    assert maps() == 0


def test_map_that_is_written_to_is_not_inherited(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(SIZE))

    def maps() -> int:
        with open("/proc/self/maps") as lines:
            return sum(str(path) in line for line in lines)

    with path.open("r+b") as file:
        mapped = aligned_map.map_file(file.fileno(), SIZE, shared=True)
    mapped.view[:4] = b"mine"
    assert (maps(), Child(maps).result()) == (1, 0)
    mapped.close()
    assert maps() == 0
    assert path.read_bytes()[:4] == b"mine"


def test_python_maps_where_libc_cannot_be_called(files, monkeypatch):
    monkeypatch.setattr(aligned_map, "libc", None)
    files.put(SPACE, "key", value(1))
    frames = files.get(SPACE, "key")
    check(frames, 1)
    frames[1][:4] = b"mine"
    check(files.get(SPACE, "key"), 1)


def test_map_that_fails_is_left_as_it_is_and_python_maps_for_a_while(files, monkeypatch, caplog):
    asked = []
    monkeypatch.setattr(aligned_map, "_not_before", 0.0)
    monkeypatch.setattr(aligned_map.libc, "map_over", lambda *_: asked.append(1))
    files.put(SPACE, "key", value(1))
    with caplog.at_level(logging.DEBUG, "dash_brain"):
        for _ in range(3):
            check(files.get(SPACE, "key"), 1)
    assert len(asked) == 1
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


# --- writing ---


def large_pages_of(file) -> int:
    """Return how many bytes of a file the kernel maps as large pages."""
    size = os.fstat(file).st_size
    view = pages.map_private(file, size)
    assert sum(view[::4096]) >= 0  # so that all is mapped
    address = ctypes.addressof(ctypes.c_char.from_buffer(view))
    with open("/proc/self/smaps") as lines:
        ours = False
        for line in lines:
            if "-" in line.split(" ")[0]:
                ours = int(line.split("-")[0], 16) == address
            elif ours and line.startswith(("ShmemPmdMapped", "FilePmdMapped")) and line.split()[1] != "0":
                return int(line.split()[1]) << 10
    return 0


def gives_large_pages(store) -> bool:
    """Say whether this kernel makes large pages at all, asked without the store."""
    with (place(store) / "probe").open("w+b") as file:
        os.ftruncate(file.fileno(), LARGE_PAGE)
        os.pwrite(file.fileno(), b"x", 0)
        mapped = aligned_map.map_file(file.fileno(), LARGE_PAGE, shared=True)
        try:
            aligned_map.collapse(mapped, 0, LARGE_PAGE)
        except OSError:
            return False
        finally:
            mapped.close()
            os.unlink(file.name)
    return True


def test_large_value_lies_in_large_pages_and_takes_whole_small_ones(store):
    if not gives_large_pages(store):
        pytest.skip("this kernel has none to give at this moment")
    store.put(SPACE, "key", value(1, 9_000_001))
    file = place(store) / SPACE / "key"
    with file.open("rb") as opened:
        assert large_pages_of(opened.fileno()) == 9_000_001 // LARGE_PAGE * LARGE_PAGE
    assert file.stat().st_blocks * 512 == store.info(SPACE, "key").nbytes
    check(store.get(SPACE, "key"), 1, 9_000_001)


@pytest.mark.parametrize("size", [large.LARGE - 5000, large.LARGE, large.LARGE + 1, 3 * LARGE_PAGE])
def test_values_about_the_limit_are_what_they_were(store, size):
    for number in range(3):
        store.put(SPACE, "key", value(number, size))
        check(store.get(SPACE, "key"), number, size)


def test_value_of_many_buffers_is_what_it_was(store):
    for pieces in (500, 3000):
        frames = [b"stream", *(os.urandom(10_000) for _ in range(pieces)), os.urandom(2 << 20)]
        store.put(SPACE, "key", frames)
        assert [bytes(frame) for frame in store.get(SPACE, "key")] == frames


def test_what_the_kernel_refuses_is_written_into_small_pages_and_not_asked_for_again(
    store, monkeypatch, caplog
):
    asked = []

    def refuse(*_):
        asked.append(1)
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(aligned_map, "collapse", refuse)
    with caplog.at_level(logging.DEBUG, "dash_brain"):
        for number in range(3):
            store.put(SPACE, str(number), value(number))
            check(store.get(SPACE, str(number)), number)
    assert len(asked) == 1
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


@needs_root
def test_full_file_system_costs_an_error_and_no_signal(tmp_path):
    with mounted(tmp_path / "memory", "size=64m") as folder:
        store = FileStore(folder)
        store.put(SPACE, "key", value(1))
        (folder / "foreign").write_bytes(bytes(50 << 20))
        before = os.statvfs(folder).f_bavail
        child = Child(store.put, SPACE, "new", value(2, 20 << 20))
        with pytest.raises(AssertionError, match="StoreFull"):
            child.result()
        with pytest.raises(StoreFull):
            store.put(SPACE, "key", value(2, 20 << 20))
        assert os.statvfs(folder).f_bavail == before
        check(store.get(SPACE, "key"), 1)


@needs_root
def test_spare_that_cannot_grow_costs_no_signal(tmp_path):
    with mounted(tmp_path / "memory", "size=128m") as folder:
        store = FileStore(folder)
        store.put(SPACE, "key", value(1))
        store.delete(SPACE, "key")
        if not spares_of(store):
            missing("leases of files")
        with (folder / "foreign").open("wb") as file:
            free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
            os.posix_fallocate(file.fileno(), 0, free - (200 << 10))
        child = Child(store.put, SPACE, "new", value(2, SIZE + 900_000))  # no large page more
        with pytest.raises(AssertionError, match="StoreFull"):
            child.result()
        store.put(SPACE, "new", value(2, SIZE))
        check(store.get(SPACE, "new"), 2)


# --- spares ---


def test_value_is_written_into_what_the_last_but_one_left(store):
    numbers = []
    for number in range(4):
        store.put(SPACE, "key", value(number))
        numbers.append(number_of(store, "key"))
        check(store.get(SPACE, "key"), number)
    assert numbers[2:] == numbers[:2]
    assert numbers[0] != numbers[1]
    assert len(spares_of(store)) == 1
    assert oct((place(store) / SPACE / "key").stat().st_mode & 0o777) == "0o400"


def test_what_was_deleted_is_written_anew_under_another_name_and_size(store):
    store.put(SPACE, "key", value(1))
    first = number_of(store, "key")
    store.delete(SPACE, "key")
    for size in (SIZE + 3_000_000, SIZE - 700_000, SIZE + 1):
        store.put(SPACE, "other", value(2, size))
        assert number_of(store, "other") == first
        check(store.get(SPACE, "other"), 2, size)
        assert (place(store) / SPACE / "other").stat().st_blocks * 512 == store.info(SPACE, "other").nbytes
        store.delete(SPACE, "other")


def test_what_somebody_reads_still_is_not_written(store):
    store.put(SPACE, "key", value(1))
    frames = store.get(SPACE, "key")
    number = number_of(store, "key")
    for other in range(2, 6):
        store.put(SPACE, "key", value(other))
        assert number_of(store, "key") != number
        check(frames, 1)
    del frames


def test_forked_child_keeps_what_its_parent_held(store):
    store.put(SPACE, "key", value(1))
    held = [store.get(SPACE, "key")]
    reader, writer = os.pipe()

    def wait_and_check():
        os.read(reader, 1)
        check(held[0], 1)

    child = Child(wait_and_check)
    held.clear()
    for number in range(2, 6):
        store.put(SPACE, "key", value(number))
    os.write(writer, b"x")
    child.result()
    os.close(reader), os.close(writer)


def test_stopped_reader_finds_what_it_opened(store, monkeypatch):
    store.put(SPACE, "key", value(1))

    def stop_and_map(file, size):
        os.kill(os.getpid(), signal.SIGSTOP)
        return aligned_map.map_private(file, size)

    def read():
        monkeypatch.setattr(pages, "map_private", stop_and_map)
        check(store.get(SPACE, "key"), 1)

    child = Child(read)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    for number in range(2, 6):
        store.put(SPACE, "key", value(number))
    os.kill(child.pid, signal.SIGCONT)
    child.result()


def test_who_comes_between_the_end_of_a_lease_and_the_name_gets_another_file(store, monkeypatch):
    """Whoever opened the file by then would get its lease when it is published, and nobody reads it yet."""
    store.put(SPACE, "key", value(1))
    store.delete(SPACE, "key")  # the only spare
    other, take, free = type(store)(store.name), file_leases.take, file_leases.free
    other.put(SPACE, "small", [b"x"])
    volume_of(other).spares.most = 1 << 30
    arrived, published = threading.Event(), threading.Event()

    def take_when_it_is_published(file):
        arrived.set()
        published.wait()
        return take(file)

    def put():
        other.put(SPACE, "second", value(3))
        arrived.set()

    def free_and_be_overtaken(file):
        free(file)
        monkeypatch.setattr(file_leases, "take", take_when_it_is_published)
        second.start()
        arrived.wait()

    second = threading.Thread(target=put)
    monkeypatch.setattr(file_leases, "free", free_and_be_overtaken)
    store.put(SPACE, "first", value(2))
    monkeypatch.setattr(file_leases, "free", free)
    published.set()
    second.join()
    check(store.get(SPACE, "first"), 2)
    check(store.get(SPACE, "second"), 3)


def test_value_can_be_read_as_soon_as_it_has_its_name(store, monkeypatch):
    store.put(SPACE, "key", value(1))
    store.delete(SPACE, "key")
    real, read = publish.take_place, []

    def named_and_read(*arguments):
        replaced = real(*arguments)
        read.append(Child(lambda: check(store.get(SPACE, "key"), 2)).result())
        return replaced

    monkeypatch.setattr(publish, "take_place", named_and_read)
    store.put(SPACE, "key", value(2))
    assert len(read) == 1


def test_what_a_killed_writer_kept_while_it_had_its_name_is_not_written(store):
    store.put(SPACE, "key", value(1))
    store.put(SPACE, "other", value(2))
    store.delete(SPACE, "other")
    (spare,) = spares_of(store)
    (place(store) / spares.HIDDEN / spare).unlink()
    os.link(place(store) / SPACE / "key", place(store) / spares.HIDDEN / spare)
    store.put(SPACE, "other", value(3))
    assert number_of(store, "other") != number_of(store, "key")
    check(store.get(SPACE, "key"), 1)
    assert oct((place(store) / SPACE / "key").stat().st_mode & 0o777) == "0o400"


def test_who_opens_what_is_being_written_is_refused_and_its_writer_lives(store):
    path = place(store) / "leased"
    path.write_bytes(b"x")
    path.chmod(0o600)

    def write():
        file = os.open(path, os.O_RDWR)
        assert file_leases.take(file)
        assert file_leases.is_whole(file)
        reader = Child(open_it)
        assert reader.result() == errno.EAGAIN
        assert not file_leases.is_whole(file)
        file_leases.free(file)
        assert Child(open_it).result() == 0

    def open_it():
        try:
            os.close(os.open(path, READ))
        except OSError as error:
            return error.errno
        return 0

    Child(write).result()
    path.unlink()


def test_spares_count_for_nothing_and_give_way(store):
    store.resize(90 << 20)
    before = store.usage()
    for number in range(3):
        store.put(SPACE, "key", value(number))
    assert len(spares_of(store)) == 1
    assert store.usage() - before == store.info(SPACE, "key").nbytes
    store.resize(store.usage() + 20_000)
    store.put(SPACE, "small", [b"x" * 10_000])
    assert spares_of(store) == []
    check(store.get(SPACE, "key"), 2)


def test_values_that_need_the_room_of_a_spare_get_it(store):
    store.resize(60 << 20)
    store.put(SPACE, "key", value(1))
    store.delete(SPACE, "key")
    assert spares_of(store)
    for number in range(70):  # the last of which go to disk
        store.put(SPACE, f"small {number}", [b"x" * 1_000_000])
        held = sum(file.lstat().st_blocks * 512 for file in place(store).rglob(f"{SPACE}/*"))
        listed = sum(int(name.split("-")[0], 16) for name in spares_of(store))
        assert held + listed <= 60 << 20
    assert spares_of(store) == []


def bytes_of_spares(store) -> int:
    return sum((place(store) / spares.HIDDEN / name).stat().st_blocks * 512 for name in spares_of(store))


def test_spares_and_values_together_keep_within_the_budget_to_the_page(store):
    store.resize(64 << 20)
    for number in range(40):
        store.put(SPACE, f"{number % 14}", value(number, (4 << 20) + 4096 * number), ttl=1000)
        held = sum(file.stat().st_blocks * 512 for file in (place(store) / SPACE).iterdir())
        assert held == store.usage()
        assert held + bytes_of_spares(store) <= 64 << 20
        assert bytes_of_spares(store) <= 8 << 20


def test_of_two_who_keep_a_spare_at_once_one_gives_up(store, monkeypatch):
    store.resize(8 * (SIZE + 8192))
    other = type(store)(store.name)
    store.put(SPACE, "ours", value(1))
    other.put(SPACE, "theirs", value(2))
    ours, listed = volume_of(store).spares, spares.Spares._listed

    def overtaken(self):
        found = listed(self)
        if self is ours:
            other.delete(SPACE, "theirs")
        return found

    monkeypatch.setattr(spares.Spares, "_listed", overtaken)
    store.delete(SPACE, "ours")
    assert len(spares_of(store)) == 1
    assert store.usage() + bytes_of_spares(store) <= store.budget()


def test_sweep_by_any_process_removes_spares_and_what_their_writers_left(store):
    for number in range(3):
        store.put(SPACE, "key", value(number))
    (place(store) / spares.HIDDEN / f".{12345:016x}").write_bytes(bytes(5000))
    FileStore.sweep(type(store)(store.name))
    assert not (place(store) / spares.HIDDEN).exists()
    check(store.get(SPACE, "key"), 2)


def test_what_is_dropped_is_gone_at_once(store):
    store.put(SPACE, "key", value(1))
    store.drop(SPACE)
    assert spares_of(store) == []


def test_what_expired_is_written_anew_by_the_next_large_value(store):
    for key in ("touched", "renewed", "other", "put"):  # no large value is put after the one that expires
        store.put(SPACE, key, value(1), ttl=0.3 if key == "put" else None)
    expired = {number_of(store, "put"), number_of(store, "touched")}
    store.touch(SPACE, "touched", 0.3)
    store.touch(SPACE, "renewed", 0.3)
    store.touch(SPACE, "renewed", 60)
    time.sleep(0.35)
    for number in range(3):
        store.put(SPACE, f"new{number}", value(number))
    new = [number_of(store, f"new{number}") for number in range(3)]
    assert set(new[:2]) == expired
    assert new[2] not in expired
    for key, number in {"renewed": 1, "other": 1, "new0": 0, "new1": 1, "new2": 2}.items():
        check(store.get(SPACE, key), number)


def test_what_expired_is_gone_at_once(store):
    store.put(SPACE, "key", value(1), ttl=0.001)
    time.sleep(0.01)
    store.delete(SPACE, "key")
    assert spares_of(store) == []


def test_spares_that_nobody_wants_go(store, monkeypatch):
    monkeypatch.setattr(spares, "LIFE", 0.3)
    for number in range(3):
        store.put(SPACE, "key", value(number))
    assert spares_of(store)
    end = time.monotonic() + 60
    while spares_of(store):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_spares_go_with_a_closed_store_and_with_the_process(store):
    code = f"""
from dash_brain.stores import SharedMemoryStore
store = SharedMemoryStore({store.name!r})
for number in range(3):
    store.put("brain/large", "key", [b"x", bytes({SIZE})])
"""
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)
    assert spares_of(store) == []
    store.put(SPACE, "key", value(1))
    assert spares_of(store)
    store.close()
    gc.collect()
    assert spares_of(store) == []


def test_touch_finds_what_took_the_place_of_a_value_that_is_a_spare(store, monkeypatch):
    store.put(SPACE, "key", value(1))
    real = get._open

    def opened_and_replaced(*arguments):
        monkeypatch.setattr(get, "_open", real)
        opened = real(*arguments)
        store.put(SPACE, "key", value(2))
        return opened

    monkeypatch.setattr(get, "_open", opened_and_replaced)
    store.touch(SPACE, "key", 1000)
    assert store.info(SPACE, "key").expires is not None


@pytest.mark.parametrize("verb", ["get", "info", "delete"])
def test_name_is_looked_up_anew_when_its_file_is_being_written_for_another(store, monkeypatch, verb):
    object_id = put_where_opening_fails(store, monkeypatch, [errno.EAGAIN] * 5)
    assert (
        store.delete(SPACE, "key", object_id=object_id)
        if verb == "delete"
        else getattr(store, verb)(SPACE, "key")
    )


@pytest.mark.parametrize("verb", ["get", "info"])
def test_name_is_looked_up_anew_when_a_file_took_the_place_of_a_link_and_is_being_written_for_another(
    store, monkeypatch, verb
):
    put_where_opening_fails(store, monkeypatch, [errno.ELOOP, errno.EAGAIN, errno.ELOOP, errno.EAGAIN])
    assert getattr(store, verb)(SPACE, "key")


def put_where_opening_fails(store, monkeypatch, errors: list[int]) -> str:
    """Put a value whose file cannot be opened at first, for these reasons; return its id."""
    real = os.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("/key") and errors:
            error = errors.pop(0)
            raise OSError(error, os.strerror(error))
        return real(path, *arguments, **options)

    object_id = store.put(SPACE, "key", value(1))
    monkeypatch.setattr(os, "open", refuse)
    return object_id


@pytest.mark.parametrize("verb", ["get", "info"])
def test_name_is_looked_up_anew_when_its_file_is_another_by_now(store, monkeypatch, verb):
    store.put(SPACE, "key", value(1))
    store.put(SPACE, "other", value(2))
    real = os.open

    def find_another(path, *arguments, **options):
        if str(path).endswith("/key"):
            monkeypatch.setattr(os, "open", real)
            path = path.replace("/key", "/other")
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", find_another)
    found = getattr(store, verb)(SPACE, "key")
    assert found.nbytes if verb == "info" else check(found, 1) is None


def test_plain_pages_are_what_the_system_gives_and_nothing_is_kept(store, monkeypatch):
    monkeypatch.setattr(large, "map_file", None)
    plain = open_store(f"shm://{store.name}?pages=plain")
    for number in range(3):
        plain.put(SPACE, "key", value(number))
    plain.delete(SPACE, "key")
    assert spares_of(store) == []
    with pytest.raises(StoreURLError, match="pages= is one of large, plain"):
        open_store("shm://?pages=huge")
    with pytest.raises(StoreURLError, match="unknown parameter pages"):
        open_store("memory://?pages=plain")


# --- where leases deceive, or nothing is gained ---


def works_without_spares(folder) -> None:
    store = FileStore(folder, size=1 << 30)
    held = []
    for number in range(5):
        store.put(SPACE, "key", value(number))
        held.append(store.get(SPACE, "key"))
        if number == 2:
            store.delete(SPACE, "key")
        assert spares_of(store) == []
    for number, frames in enumerate(held):
        check(frames, number)
    del frames
    held.clear()
    store.close()


@needs_disk
def test_there_are_no_spares_on_a_disk(tmp_path):
    with mounted_disk(tmp_path / "disk", 200) as folder:
        works_without_spares(folder)


@needs_root
def test_there_are_no_spares_on_an_overlay_though_it_lies_in_memory(tmp_path):
    with mounted(tmp_path / "memory", "size=400m") as memory:
        lower, upper, work, merged = (memory / name for name in ("lower", "upper", "work", "merged"))
        for folder in (lower, upper, work, merged):
            folder.mkdir()
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        made = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(merged)], check=False)
        if made.returncode:
            missing("the right to mount an overlay")
        try:
            works_without_spares(merged)
        finally:
            subprocess.run(["umount", "--lazy", str(merged)], check=True)
