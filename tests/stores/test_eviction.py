"""When memory is short, what nobody needs goes first, and what somebody needs stays."""

from __future__ import annotations

import os
import resource
import signal
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import pytest

from dash_brain.common import polling
from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.stores.mapped import put
from dash_brain.stores.mapped.space import backoff, space
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.space import Space
from dash_brain.stores.namespaces import ENDING, EXPIRED, HELD, IDLE, MEMOIZED, rank
from dash_brain.testing import Clock, plain
from tests.needs import needs_root
from tests.processes import FORKSERVER
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import ledger_of, mounted, place, volume_of
from tests.stores.workers import check_pattern, fill_up, hold_until_told, patterned
from tests.torture.children import Child

MB = 1 << 20


@pytest.mark.parametrize(
    ("domain", "ttl", "idle", "expected"),
    [
        ("brain", 0, 0, EXPIRED),
        ("claims", -1, 0, EXPIRED),
        ("session", 540, 0, ENDING),
        ("session", 600, 0, HELD),
        ("session", 600, 901, IDLE),
        ("session-memo", 60, 0, ENDING),
        ("session-memo", 3600, 0, MEMOIZED),
        ("memo", None, 0, MEMOIZED),
        ("session-names", 3600, 901, IDLE),
        ("brain", 3600, 60, HELD),
        ("brain", None, 1e6, None),
        ("app", None, 1e6, None),
        ("recipes", 60, 1e6, ENDING),
        ("recipes", None, 0, HELD),
        ("recipes", None, 1e6, IDLE),
        *((domain, 60, 1e6, None) for domain in ("claims", "registry", "session-registry")),
        ("outcomes", 3600, 0, ENDING),
    ],
)
def test_rank_of_an_object(domain, ttl, idle, expected):
    now = 1e9
    assert rank(domain, None if ttl is None else now + ttl, now - idle, now) == expected


@pytest.fixture(params=["files", "fallback", "memory"])
def bounded(request, tmp_path):
    """A store for 16 MB, and its clock."""
    clock = Clock()
    if request.param == "memory":
        return MemoryStore(clock=clock, size="16MiB"), clock
    kind = {"files": FileStore, "fallback": FallbackStore}[request.param]
    return kind(tmp_path, clock=clock, size="16MiB"), clock


def has(store, namespace, key):
    try:
        store.info(namespace, key)
    except ValueMissing:
        return False
    return True


def test_objects_go_in_the_stated_order(bounded):
    store, clock = bounded
    store.put("brain/a", "idle", [bytes(2 * MB - 9000)], ttl=1e5)
    store.put("brain/a", "for good", [bytes(2 * MB - 9000)])
    clock.advance(1000)
    store.put("brain/a", "held", [bytes(2 * MB - 9000)], ttl=1e5)
    store.put("memo/a", "memoized", [bytes(2 * MB - 9000)])
    store.put("session/a", "ending", [bytes(2 * MB - 9000)], ttl=500)
    store.put("session/a", "expired", [bytes(2 * MB - 9000)], ttl=0)
    store.put("claims/a", "page", [b"claim"], ttl=500)
    everybody = [
        ("session/a", "expired"),
        ("session/a", "ending"),
        ("memo/a", "memoized"),
        ("brain/a", "idle"),
        ("brain/a", "held"),
    ]
    gone = []
    for number in range(7):
        store.put("brain/new", str(number), [bytes(2 * MB - 9000)])
        gone += [place for place in everybody[1:] if not has(store, *place) and place not in gone]
    assert gone == everybody[1:]
    with pytest.raises(StoreFull, match="There is no room"):
        store.put("brain/new", "one more", [bytes(2 * MB)])
    assert has(store, "brain/a", "for good")
    assert has(store, "claims/a", "page")
    assert store.usage() <= store.budget()


def test_least_recently_used_goes_first(bounded):
    store, clock = bounded
    for number in range(7):
        store.put("brain/a", str(number), [bytes(2 * MB)], ttl=1e5)
        clock.advance(10)
    store.get("brain/a", "0")
    store.touch("brain/a", "2", 1e5)
    store.put("brain/a", "new", [bytes(4 * MB)], ttl=1e5)
    assert [key for key in "0123456" if has(store, "brain/a", key)] == ["0", "2", "4", "5", "6"]


def test_somewhat_more_goes_than_is_needed_so_that_not_every_put_walks(bounded, monkeypatch):
    store, _ = bounded
    for number in range(600):
        store.put("brain/a", str(number), [bytes(20_000)], ttl=1e5)
    walks = []
    target, name = (MemoryStore, "_candidates") if type(store) is MemoryStore else (Inventory, "candidates")
    real = getattr(target, name)
    monkeypatch.setattr(target, name, lambda *args, **kw: walks.append(1) or real(*args, **kw))
    for number in range(600, 1200):
        store.put("brain/a", str(number), [bytes(20_000)], ttl=1e5)
    assert 1 <= len(walks) <= 16
    assert store.usage() <= store.budget()


def test_value_larger_than_the_budget_evicts_nothing(bounded):
    store, _ = bounded
    store.put("brain/a", "key", [bytes(MB)], ttl=1e5)
    with pytest.raises(StoreFull, match=r"20\.0 MB.*may hold 16\.8 MB.*1\.\d MB of that"):
        store.put("brain/a", "huge", [bytes(20_000_000)])
    assert has(store, "brain/a", "key")


def test_value_for_which_not_enough_may_go_evicts_nothing(bounded):
    store, _ = bounded
    store.put("brain/a", "for good", [bytes(10 * MB)])
    for number in range(4):
        store.put("session/a", str(number), [bytes(MB)], ttl=1e5)
    with pytest.raises(StoreFull, match="would not be enough"):
        store.put("session/a", "new", [bytes(8 * MB)], ttl=1e5)
    assert len(list(store.scan("session/a"))) == 4


def test_value_beyond_the_limit_for_files_evicts_nothing(tmp_path):
    store = FileStore(tmp_path)
    store.put("session/a", "key", [bytes(MB)], ttl=1e5)
    child = FORKSERVER.Process(target=put_beyond_a_limit, args=(tmp_path,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert has(store, "session/a", "key")


def put_beyond_a_limit(folder):
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MB, 2 * MB))
    with pytest.raises(StoreFull):
        FileStore(folder).put("session/a", "new", [bytes(3 * MB)], ttl=1e5)


def test_name_that_is_replaced_counts_once_and_is_not_evicted_for_its_successor(bounded):
    store, _ = bounded
    store.put("brain/a", "other", [bytes(MB)], ttl=1e5)
    for byte in (b"a", b"b", b"c"):
        store.put("brain/a", "most of it", [byte * (10 * MB)], ttl=1e5)
    assert plain(store.get("brain/a", "most of it")) == [b"c" * (10 * MB)]
    assert has(store, "brain/a", "other")


def test_room_for_bookkeeping_is_made_too(bounded):
    store, _ = bounded
    for number in range(15):
        store.put("brain/a", str(number), [bytes(MB)], ttl=1e5)
    for number in range(400):
        store.put(f"claims/{number % 2}", str(number), [bytes(3000)], ttl=3600)
    assert len([*store.scan("claims/0"), *store.scan("claims/1")]) == 400


def test_what_a_client_makes_the_store_remember_is_bounded_and_the_oldest_goes(bounded):
    store, clock = bounded
    for number in range(2000):
        clock.advance(1)
        store.put("claims/a", str(number), [bytes(300)], ttl=1e5)
    store.put("claims/b", "key", [bytes(300)], ttl=1e5)
    left = set(store.scan("claims/a"))
    assert 200 < len(left) <= 256
    assert left == {str(number) for number in range(2000 - len(left), 2000)}
    for namespace in ("claims/a", "registry/app", "session-registry/app", "logins/x", "outcomes/flights"):
        with pytest.raises(StoreFull, match=r"note of .* is refused"):
            store.put(namespace, "large", [bytes(300_000)], ttl=1e5)


def test_note_that_is_renewed_pushes_out_no_other(bounded):
    store, _ = bounded
    for number in range(256):
        store.put("claims/a", str(number), [b"x"], ttl=1e5)
    for _ in range(3):
        store.put("claims/a", "7", [b"y"], ttl=1e5)
    assert len(list(store.scan("claims/a"))) == 256


def test_value_that_was_just_used_is_not_evicted(tmp_path, monkeypatch):
    clock = Clock()
    store = FileStore(tmp_path, clock=clock, size="4MiB")
    store.put("brain/a", "old", [bytes(2 * MB - 9000)], ttl=1e5)
    clock.advance(10)
    store.put("brain/a", "young", [bytes(MB)], ttl=1e5)
    clock.advance(10)
    real = Inventory.candidates

    def used_meanwhile(*args, **kwargs):
        found = real(*args, **kwargs)
        store.get("brain/a", "old")
        return found

    monkeypatch.setattr(Inventory, "candidates", used_meanwhile)
    store.put("brain/a", "new", [bytes(2 * MB)], ttl=1e5)
    assert has(store, "brain/a", "old")
    assert not has(store, "brain/a", "young")


def test_processes_that_fill_a_store_at_once_stay_within_its_budget(tmp_path):
    store = FileStore(tmp_path, size="8MiB")
    store.put("brain/kept", "for good", patterned(MB))
    with ProcessPoolExecutor(4, mp_context=FORKSERVER) as pool:
        runs = [pool.submit(fill_up, partial(FileStore, tmp_path), 120) for _ in range(4)]
        highest = max(run.result() for run in runs)
    assert highest <= store.budget()
    check_pattern(store.get("brain/kept", "for good"))
    before = store.usage()
    store.sweep()
    assert store.usage() == before


def test_values_that_are_put_at_once_wait_for_each_other(tmp_path):
    store = FileStore(tmp_path, size="25MB")

    def put_one(number):
        store.put(f"session/{number % 6}", "key", [bytes(8_000_000)], ttl=1e5)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put_one, range(30)))
    assert 8_000_000 < store.usage() <= store.budget()
    assert ledger_of(store).reserved() == 0


def test_what_was_to_be_replaced_may_be_evicted_and_the_budget_is_kept_all_the_same(tmp_path, monkeypatch):
    store, other = FileStore(tmp_path, size="25MB"), FileStore(tmp_path)
    for number in range(3):
        store.put(f"session/{number}", "key", [bytes(8_000_000)], ttl=1e5)
    real = Space._turn_for_budget

    @contextmanager
    def overtaken(self, reserved):
        monkeypatch.setattr(Space, "_turn_for_budget", real)
        ledger_of(store).reserve(-reserved)
        for evicted in ("session/0", "session/1"):
            other.delete(evicted, "key")
        other.put("session/3", "key", [bytes(8_000_000)], ttl=1e5)
        ledger_of(store).reserve(reserved)
        with real(self, reserved):
            yield

    monkeypatch.setattr(Space, "_turn_for_budget", overtaken)
    store.put("session/0", "key", [bytes(16_000_000)], ttl=1e5)
    assert store.usage() <= store.budget()
    assert store.info("session/0", "key")


def test_what_is_being_written_is_told_to_those_who_waited_in_vain(tmp_path, monkeypatch):
    store = FileStore(tmp_path, size="25MB")
    monkeypatch.setattr(space, "WRITING", 0.1)
    ledger_of(store).reserve(20_000_000)
    with pytest.raises(StoreFull, match=r"20\.0 MB are being written"):
        store.put("brain/a", "key", [bytes(8_000_000)])


def test_process_stopped_while_it_made_room_keeps_one_put_waiting_and_no_other(tmp_path, monkeypatch):
    store = FileStore(tmp_path, size="8MiB")
    for number in range(4):
        store.put("session/a", str(number), [bytes(2 * MB - 9000)], ttl=1e5)
    stopped = Child(stop_while_making_room, tmp_path)
    try:
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
        pauses = count_pauses(monkeypatch)
        store.put("session/b", "key", [bytes(MB)], ttl=1e5)
        assert pauses, "one put waited for its turn"
        pauses.clear()
        for number in range(20):
            store.put("session/b", str(number), [bytes(MB)], ttl=1e5)
            assert has(store, "session/b", str(number))
            assert store.usage() <= store.budget()
        assert not pauses, "the others went on without"
    finally:
        stopped.kill()


def count_pauses(monkeypatch):
    """Note each pause of whoever waits for others; one of no length lets them go on."""
    pauses = []

    def pause(seconds):
        pauses.extend([seconds] if seconds else [])
        time.sleep(seconds)

    monkeypatch.setattr(polling, "time", SimpleNamespace(monotonic=time.monotonic, sleep=pause))
    return pauses


def stop_while_making_room(folder):
    Inventory.evict = lambda *_, **__: os.kill(os.getpid(), signal.SIGSTOP)
    FileStore(folder).put("session/a", "new", [bytes(MB)], ttl=1e5)


def test_writer_that_was_stopped_keeps_one_put_waiting_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(space, "WRITING", 0.1)
    store = FileStore(tmp_path, size="8MiB")
    store.secret()
    stopped = Child(stop_while_writing, tmp_path)
    try:
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
        pauses = count_pauses(monkeypatch)
        for waits in (True, False, False):
            with pytest.raises(StoreFull, match="are being written"):
                store.put("session/b", "key", [bytes(4 * MB)], ttl=1e5)
            assert bool(pauses) == waits
            pauses.clear()
    finally:
        stopped.kill()
    store.put("session/b", "key", [bytes(4 * MB)], ttl=1e5)


def stop_while_writing(folder):
    put._publish = lambda *_: os.kill(os.getpid(), signal.SIGSTOP)
    FileStore(folder).put("session/a", "new", [bytes(5 * MB)], ttl=1e5)


# --- the file system is full before the budget is ---


@needs_root
def test_file_system_that_others_filled_is_relieved(tmp_path):
    with mounted(tmp_path / "small", "size=64m") as folder:
        store = FileStore(folder)
        for number in range(20):
            store.put("brain/a", str(number), patterned(MB), ttl=1e5)
        free = os.statvfs(folder)
        (folder / "others").write_bytes(bytes(free.f_bavail * free.f_frsize))
        store.put("brain/a", "new", patterned(4 * MB), ttl=1e5)
        check_pattern(store.get("brain/a", "new"))
        assert len(list(store.scan("brain/a"))) > 8, "and not more went than was needed"


@needs_root
def test_what_killed_writers_left_makes_place_before_anything_is_evicted(tmp_path):
    with mounted(tmp_path / "small", "size=64m") as folder:
        store = FallbackStore(folder)  # whose drafts have names, and stay when their writer is killed
        store.put("brain/a", "kept", patterned(MB), ttl=1e5)
        for number in range(6):
            with volume_of(store).hold(f"brain/a/of {number}") as draft:
                pass
            (place(store) / draft).write_bytes(bytes(10 * MB))
        store.put("brain/a", "new", patterned(16 * MB))
        check_pattern(store.get("brain/a", "new"))
        check_pattern(store.get("brain/a", "kept"))


@needs_root
def test_value_that_a_file_system_cannot_hold_evicts_nothing(tmp_path):
    with mounted(tmp_path / "small", "size=64m") as folder:
        store = FileStore(folder)
        for number in range(4):
            store.put("brain/a", str(number), patterned(MB), ttl=1e5)
        (folder / "others").write_bytes(bytes(52 * MB))
        with pytest.raises(StoreFull):
            store.put("brain/a", "new", patterned(16 * MB), ttl=1e5)
        assert len(list(store.scan("brain/a"))) == 4


@needs_root
def test_lack_of_inodes_is_relieved_by_number(tmp_path):
    with mounted(tmp_path / "small", "size=64m,nr_inodes=200") as folder:
        store = FileStore(folder)
        for number in range(500):
            store.put("brain/a", str(number), patterned(10), ttl=1e5)
        assert 150 < len(list(store.scan("brain/a"))) < 200
        check_pattern(store.get("brain/a", "499"))


@needs_root
def test_nothing_more_is_evicted_when_readers_hold_what_went(tmp_path, monkeypatch):
    monkeypatch.setattr(backoff, "_IN_VAIN", 60.0)  # a second may pass between two puts here
    with mounted(tmp_path / "small", "size=64m") as folder:
        store = FileStore(folder)
        for number in range(24):
            store.put("brain/a", str(number), patterned(MB), ttl=1e5)
        held, done = FORKSERVER.Event(), FORKSERVER.Event()
        reader = FORKSERVER.Process(target=hold_until_told, args=(partial(FileStore, folder), held, done))
        reader.start()
        try:
            assert held.wait(60)
            free = os.statvfs(folder)
            (folder / "others").write_bytes(bytes(free.f_bavail * free.f_frsize))
            for _ in range(10):
                with pytest.raises(StoreFull):
                    store.put("brain/b", "new", patterned(4 * MB), ttl=1e5)
            left = len(list(store.scan("brain/a")))
            assert 12 < left < 24, "one batch went for nothing, and no more"
        finally:
            done.set()
            reader.join(60)
        assert reader.exitcode == 0, "the reader's values never changed"
        store.put("brain/b", "new", patterned(4 * MB), ttl=1e5)


@needs_root
def test_what_may_not_make_place_for_itself_makes_place_for_another(tmp_path, monkeypatch):
    monkeypatch.setattr(backoff, "_IN_VAIN", 1000.0)
    with mounted(tmp_path / "small", "size=32m") as folder:
        store = FileStore(folder)
        store.usage()
        (folder / "others").write_bytes(bytes(17 * MB))
        large = patterned(8 * MB - 9000)  # the budget allows two
        store.put("memo/a", "old", large, ttl=1000)
        with pytest.raises(StoreFull):
            store.put("memo/a", "old", large, ttl=1000)
        store.put("memo/a", "new", large, ttl=1000)
        check_pattern(store.get("memo/a", "new"))


@needs_root
def test_store_in_64_mb_of_shared_memory_goes_on_and_on(tmp_path):
    with mounted(tmp_path / "small", "size=64m") as folder:
        store = FileStore(folder)
        for number in range(100):
            store.put("session/a", str(number), patterned(2 * MB), ttl=600)
            check_pattern(store.get("session/a", str(number)))
        with pytest.raises(StoreFull, match="shm-size"):
            store.put("session/a", "huge", patterned(40 * MB), ttl=600)
