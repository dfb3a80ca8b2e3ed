"""The contract that every store passes, for those who write one.

Subclass what your store can do, give it a ``store`` fixture, and pytest does the rest::

    class TestMyStore(StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
        @pytest.fixture
        def store(self):
            return MyStore("test")

        @pytest.fixture
        def reopen(self):                  # for SharedContract
            return partial(MyStore, "test")

pytest is needed here, and nowhere else in the package.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from dash_brain.errors import StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores.base import (
    Bounded,
    Frames,
    Locks,
    Scans,
    Store,
    needs_budget,
    needs_lock,
    needs_scan,
)

Reopen: TypeAlias = Callable[[], Store]
PassTime: TypeAlias = Callable[[float], None]

SPACE = "brain/contract"

#: Keys that a store may be tempted to confuse with each other, or with something of its own.
KEYS = (
    *(
        "",
        " ",
        ".",
        "..",
        ".hidden",
        "a",
        "A",
        "ä",
        "Ä",
        "a/b",
        "a\\b",
        "a\0b",
        "a\nb",
        "%",
        "%41",
        "%%",
        "%%41",
    ),
    *(
        "key",
        "locks",
        "FORMAT",
        "con",
        "\ud800",
        "\udcff",
        "😀",
        "e\u0301",
        "é",
        "a" * 255,
        "a" * 256,
        "A" * 255,
    ),
    *("a" * 5000, "a" * 4999 + "b", "/" * 300, "😀" * 300),
)

#: Frames at the sizes where something changes: empty, unaligned, read or mapped, one system call or more.
FRAMES: tuple[Frames, ...] = (
    [b""],
    [b"x"],
    [b"stream", b"", b"y" * 63, b"z" * 64, b"", b"w" * 65],
    [bytearray(b"array"), memoryview(b"view"), memoryview(bytearray(8))],
    [b"s" * 300_000],
    [b"s", os.urandom(262_144)],
    [b"s", os.urandom(3_000_000), b"tail"],
    [b"many", *(b"%d" % number for number in range(3000))],
)


class Clock:
    """A clock that stands still until it is told to go on.

    Examples
    --------
    >>> clock = Clock(1000.0)
    >>> clock.advance(5)
    >>> clock()
    1005.0
    """

    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def plain(frames: Frames) -> list[bytes]:
    """Return copies of frames, to be compared."""
    return [bytes(frame) for frame in frames]


class _Base:
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """Return an empty store; every subclass says which."""
        raise NotImplementedError("override the fixture 'store'")

    @pytest.fixture
    def pass_time(self) -> PassTime:
        """Return what lets some seconds pass; a store with a clock of its own advances that."""
        return time.sleep


class StoreContract(_Base):
    """What every store does."""

    def test_every_ability_of_the_store_is_tested(self, store: Store) -> None:
        assert isinstance(store, Scans) == isinstance(self, ScansContract)
        assert isinstance(store, Locks) == isinstance(self, LocksContract)
        assert isinstance(store, Bounded) == isinstance(self, BoundedContract)

    def test_missing_ability_is_a_clear_error(self, store: Store) -> None:
        class Bare:
            pass

        with pytest.raises(StoreUnavailable, match="cannot list"):
            needs_scan(Bare())  # type: ignore[arg-type]
        with pytest.raises(StoreUnavailable, match="cannot lock"):
            needs_lock(Bare())  # type: ignore[arg-type]
        with pytest.raises(StoreUnavailable, match="no budget"):
            needs_budget(Bare())  # type: ignore[arg-type]

    @pytest.mark.parametrize("frames", FRAMES, ids=range(len(FRAMES)))
    def test_frames_come_back_byte_for_byte(self, store: Store, frames: Frames) -> None:
        store.put(SPACE, "key", frames)
        assert plain(store.get(SPACE, "key")) == plain(frames)

    def test_object_without_frames_is_refused(self, store: Store) -> None:
        with pytest.raises(ValueError):
            store.put(SPACE, "key", [])

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_every_reader_may_write_into_its_own_frames(self, store: Store, size: int) -> None:
        store.put(SPACE, "key", [b"s" * size, b"b" * size])
        for frame in store.get(SPACE, "key"):
            memoryview(frame)[:] = b"!" * size
        assert plain(store.get(SPACE, "key")) == [b"s" * size, b"b" * size]

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_writing_into_what_was_put_changes_nothing(self, store: Store, size: int) -> None:
        mine = bytearray(b"x" * size)
        store.put(SPACE, "key", [mine, mine])
        mine[:] = b"!" * size
        assert plain(store.get(SPACE, "key")) == [b"x" * size] * 2

    @pytest.mark.parametrize("size", [10, 300_000])
    @pytest.mark.parametrize("fate", ["replaced", "deleted", "dropped", "expired"])
    def test_reader_keeps_what_it_holds(
        self, store: Store, pass_time: PassTime, size: int, fate: str
    ) -> None:
        store.put(SPACE, "key", [b"s" * size, b"b" * size], ttl=0.5 if fate == "expired" else None)
        held = store.get(SPACE, "key")
        if fate == "replaced":
            store.put(SPACE, "key", [b"!" * size, b"!" * size])
        elif fate == "deleted":
            store.delete(SPACE, "key")
        elif fate == "dropped":
            store.drop(SPACE)
        else:
            pass_time(0.6)
            store.sweep()
        assert plain(held) == [b"s" * size, b"b" * size]

    def test_missing_key_is_a_miss(self, store: Store) -> None:
        store.put(SPACE, "other", [b"x"])
        for namespace in (SPACE, "brain/nowhere"):
            with pytest.raises(ValueMissing):
                store.get(namespace, "key")
            with pytest.raises(ValueMissing):
                store.info(namespace, "key")
            with pytest.raises(ValueMissing):
                store.touch(namespace, "key", 5)
            assert store.delete(namespace, "key") is False

    def test_put_replaces_and_gives_another_id(self, store: Store) -> None:
        ids = {store.put(SPACE, "key", [b"%d" % number]) for number in range(5)}
        assert len(ids) == 5
        assert plain(store.get(SPACE, "key")) == [b"4"]

    def test_object_id_is_128_bits_in_hex(self, store: Store) -> None:
        object_id = store.put(SPACE, "key", [b"x"])
        assert len(bytes.fromhex(object_id)) == 16
        assert object_id == object_id.lower()

    def test_info_says_what_was_put(self, store: Store) -> None:
        object_id = store.put(SPACE, "key", [b"x" * 1000, b"y" * 500_000], meta={"type": "bytes"})
        info = store.info(SPACE, "key")
        assert (info.namespace, info.key, info.object_id) == (SPACE, "key", object_id)
        assert dict(info.meta) == {"type": "bytes"}
        assert info.nbytes >= 501_000
        assert info.expires is None
        assert abs(info.used - info.created) < 1

    @pytest.mark.parametrize(
        "meta", [{}, {"": ""}, {"ä\0\ud800": "x" * 10_000}, {"meta": "key", "key": "meta"}]
    )
    def test_meta_is_any_strings(self, store: Store, meta: dict[str, str]) -> None:
        store.put(SPACE, "key", [b"x"], meta=meta)
        assert dict(store.info(SPACE, "key").meta) == meta
        assert plain(store.get(SPACE, "key")) == [b"x"]

    def test_keys_are_any_strings_and_all_different(self, store: Store) -> None:
        for key in KEYS:
            store.put(SPACE, key, [repr(key).encode()])
        for key in KEYS:
            assert plain(store.get(SPACE, key)) == [repr(key).encode()]
            assert store.info(SPACE, key).key == key

    def test_namespaces_are_any_strings_and_all_apart(self, store: Store) -> None:
        for name in KEYS:
            store.put(f"brain/{name}", "key", [repr(name).encode()])
        store.put("app/a", "key", [b"another domain"])
        for name in KEYS:
            assert plain(store.get(f"brain/{name}", "key")) == [repr(name).encode()]

    @pytest.mark.parametrize("namespace", ["", "brain", "/name", "Brain/name", "../name", "brain.x/name"])
    def test_namespace_without_a_domain_is_refused(self, store: Store, namespace: str) -> None:
        for use in (
            lambda: store.put(namespace, "key", [b"x"]),
            lambda: store.get(namespace, "key"),
            lambda: store.delete(namespace, "key"),
            lambda: store.drop(namespace),
        ):
            with pytest.raises(ValueError):
                use()

    def test_delete_says_whether_there_was_one(self, store: Store) -> None:
        store.put(SPACE, "key", [b"x"])
        assert store.delete(SPACE, "key") is True
        assert store.delete(SPACE, "key") is False
        with pytest.raises(ValueMissing):
            store.get(SPACE, "key")

    def test_expired_object_is_a_miss(self, store: Store, pass_time: PassTime) -> None:
        for key in ("get", "info", "touch", "delete"):
            store.put(SPACE, key, [b"x"], ttl=0.5)
        assert plain(store.get(SPACE, "get")) == [b"x"]
        pass_time(0.6)
        with pytest.raises(ValueMissing):
            store.get(SPACE, "get")
        with pytest.raises(ValueMissing):
            store.info(SPACE, "info")
        with pytest.raises(ValueMissing):
            store.touch(SPACE, "touch", None)
        assert store.delete(SPACE, "delete") is False

    def test_expired_key_can_be_put_again(self, store: Store, pass_time: PassTime) -> None:
        store.put(SPACE, "key", [b"old"], ttl=0.5)
        pass_time(0.6)
        store.put(SPACE, "key", [b"new"])
        pass_time(0.6)
        assert plain(store.get(SPACE, "key")) == [b"new"]

    def test_reading_does_not_lengthen_a_life(self, store: Store, pass_time: PassTime) -> None:
        store.put(SPACE, "key", [b"x"], ttl=1.0)
        for _ in range(3):
            pass_time(0.3)
            with contextlib.suppress(ValueMissing):  # on a machine that is busy it is over already
                store.get(SPACE, "key")
        pass_time(0.3)
        with pytest.raises(ValueMissing):
            store.get(SPACE, "key")

    def test_reading_is_noted_as_a_use(self, store: Store, pass_time: PassTime) -> None:
        store.put(SPACE, "key", [b"x"], ttl=100)
        before = store.info(SPACE, "key")
        pass_time(1.2)
        store.get(SPACE, "key")
        after = store.info(SPACE, "key")
        assert after.used >= before.used + 1
        assert (after.created, after.expires) == (before.created, before.expires)

    def test_touch_sets_the_time_to_live_anew(self, store: Store, pass_time: PassTime) -> None:
        for key in ("longer", "for good"):
            store.put(SPACE, key, [b"x"], ttl=0.5)
        store.put(SPACE, "shorter", [b"x"])
        store.touch(SPACE, "longer", 5)
        store.touch(SPACE, "for good", None)
        store.touch(SPACE, "shorter", 0.5)
        pass_time(0.6)
        assert plain(store.get(SPACE, "longer")) == plain(store.get(SPACE, "for good")) == [b"x"]
        assert store.info(SPACE, "longer").expires is not None
        assert store.info(SPACE, "for good").expires is None
        with pytest.raises(ValueMissing):
            store.get(SPACE, "shorter")

    def test_replacing_takes_the_new_time_to_live(self, store: Store, pass_time: PassTime) -> None:
        store.put(SPACE, "key", [b"old"], ttl=0.5)
        store.put(SPACE, "key", [b"new"])
        pass_time(0.6)
        assert plain(store.get(SPACE, "key")) == [b"new"]

    def test_no_time_to_live_is_a_miss_at_once(self, store: Store) -> None:
        store.put(SPACE, "key", [b"x"], ttl=0)
        with pytest.raises(ValueMissing):
            store.get(SPACE, "key")

    @pytest.mark.parametrize("ttl", [1e6, 1e12, math.inf])
    def test_time_to_live_may_be_long(self, store: Store, ttl: float) -> None:
        store.put(SPACE, "key", [b"x"], ttl=ttl)
        assert plain(store.get(SPACE, "key")) == [b"x"]

    @pytest.mark.parametrize("ttl", [-1, math.nan])
    def test_time_to_live_that_is_none_is_refused_and_the_old_object_stays(
        self, store: Store, ttl: float
    ) -> None:
        store.put(SPACE, "key", [b"old"])
        with pytest.raises(ValueError):
            store.put(SPACE, "key", [b"new"], ttl=ttl)
        with pytest.raises(ValueError):
            store.touch(SPACE, "key", ttl)
        assert plain(store.get(SPACE, "key")) == [b"old"]

    def test_failed_put_leaves_the_old_object(self, store: Store) -> None:
        store.put(SPACE, "key", [b"old"])
        with pytest.raises(TypeError):
            store.put(SPACE, "key", [b"new", "text"])  # type: ignore[list-item]
        assert plain(store.get(SPACE, "key")) == [b"old"]

    def test_drop_removes_one_namespace_whole(self, store: Store) -> None:
        for key in KEYS:
            store.put("brain/alpha", key, [b"x"])
        store.put("brain/alphabet", "key", [b"stays"])
        store.put("app/alpha", "key", [b"stays"])
        store.drop("brain/alpha")
        store.drop("brain/alpha")
        for key in KEYS:
            with pytest.raises(ValueMissing):
                store.get("brain/alpha", key)
        assert plain(store.get("brain/alphabet", "key")) == plain(store.get("app/alpha", "key")) == [b"stays"]
        store.put("brain/alpha", "key", [b"again"])
        assert plain(store.get("brain/alpha", "key")) == [b"again"]

    def test_usage_is_what_objects_occupy(self, store: Store) -> None:
        assert store.usage() == 0
        store.put(SPACE, "one", [b"x" * 1000])
        store.put("app/other", "two", [b"x" * 500_000])
        assert store.usage() == store.info(SPACE, "one").nbytes + store.info("app/other", "two").nbytes
        store.put("app/other", "two", [b"x"])
        assert 1000 < store.usage() < 100_000
        store.delete("app/other", "two")
        store.drop(SPACE)
        assert store.usage() == 0

    def test_sweep_removes_what_has_expired_and_nothing_else(self, store: Store, pass_time: PassTime) -> None:
        for number in range(5):
            store.put("brain/short", str(number), [b"x"], ttl=0.5)
        store.put(SPACE, "short", [b"x"], ttl=0.5)
        store.put(SPACE, "long", [b"x"], ttl=1000)
        store.put(SPACE, "for good", [b"x"])
        assert store.sweep() == 0
        pass_time(0.6)
        assert store.sweep() == 6
        assert store.sweep() == 0
        assert store.usage() == store.info(SPACE, "long").nbytes + store.info(SPACE, "for good").nbytes

    def test_secret_is_32_bytes_for_good(self, store: Store) -> None:
        secret = store.secret()
        assert len(secret) == 32
        assert len(set(secret)) > 8
        store.close()
        assert store.secret() == secret

    def test_closed_store_is_opened_anew_by_its_next_use(self, store: Store) -> None:
        store.put(SPACE, "key", [b"x" * 300_000])
        held = store.get(SPACE, "key")
        store.close()
        store.close()
        assert plain(held) == plain(store.get(SPACE, "key")) == [b"x" * 300_000]

    def test_threads_never_see_a_torn_or_missing_object(self, store: Store) -> None:
        def write(writer: int) -> None:
            for number in range(40):
                byte = bytes([writer * 40 + number])
                store.put(SPACE, "key", [byte * 50, byte * 70_000])

        def read(_: int) -> None:
            for _ in range(80):
                stream, buffer = plain(store.get(SPACE, "key"))
                assert stream == stream[:1] * 50
                assert buffer == stream[:1] * 70_000

        store.put(SPACE, "key", [b"0" * 50, b"0" * 70_000])
        _in_threads([write] * 4 + [read] * 4)


class ScansContract(_Base):
    """What a store that lists its keys does besides."""

    def test_scan_yields_every_key_once(self, store: Store) -> None:
        scans = needs_scan(store)
        for key in KEYS:
            store.put(SPACE, key, [b"x"])
            store.put(SPACE, key, [b"y"])
        store.put(f"{SPACE}x", "elsewhere", [b"x"])
        assert sorted(scans.scan(SPACE)) == sorted(KEYS)

    def test_scan_of_nothing_yields_nothing(self, store: Store) -> None:
        assert list(needs_scan(store).scan("brain/nowhere")) == []
        assert list(needs_scan(store).namespaces("brain")) == []

    def test_scan_passes_over_what_expired(self, store: Store, pass_time: PassTime) -> None:
        store.put(SPACE, "short", [b"x"], ttl=0.5)
        store.put(SPACE, "for good", [b"x"])
        store.put("brain/short", "key", [b"x"], ttl=0.5)
        pass_time(0.6)
        assert list(needs_scan(store).scan(SPACE)) == ["for good"]
        assert list(needs_scan(store).namespaces("brain")) == [SPACE]

    def test_keys_may_be_deleted_and_put_while_they_are_scanned(self, store: Store) -> None:
        for number in range(50):
            store.put(SPACE, str(number), [b"x"])
        for key in needs_scan(store).scan(SPACE):
            store.delete(SPACE, key)
            store.put("brain/moved", key, [b"x"])
        assert list(needs_scan(store).scan(SPACE)) == []
        assert len(list(needs_scan(store).scan("brain/moved"))) == 50

    def test_namespaces_are_those_of_the_domain_that_hold_something(self, store: Store) -> None:
        for name in KEYS:
            store.put(f"brain/{name}", "A" * 300, [b"x"])
        store.put("brainy/a", "key", [b"x"])
        store.put("brain/emptied", "key", [b"x"])
        store.delete("brain/emptied", "key")
        assert sorted(needs_scan(store).namespaces("brain")) == sorted(f"brain/{name}" for name in KEYS)


class LocksContract(_Base):
    """What a store that locks keys does besides."""

    def test_lock_lets_one_thread_in_at_a_time(self, store: Store) -> None:
        inside: list[int] = []

        def enter(number: int) -> None:
            for _ in range(20):
                with needs_lock(store).lock("key"):
                    inside.append(number)
                    assert inside == [number]
                    inside.remove(number)

        _in_threads([enter] * 6)

    def test_locks_of_different_keys_are_apart(self, store: Store) -> None:
        locks = needs_lock(store)
        with locks.lock(""), locks.lock("a"), locks.lock("A"), locks.lock("\ud800\0/" * 100):
            assert _Taker(store, "b").is_done_in(5)

    def test_lock_is_no_obstacle_to_the_object_of_that_name(self, store: Store) -> None:
        with needs_lock(store).lock("key"), needs_lock(store).lock(f"{SPACE}/key"):
            store.put(SPACE, "key", [b"old"])
            store.put(SPACE, "key", [b"new"])
            assert store.delete(SPACE, "key")

    def test_locking_twice_in_one_thread_raises_instead_of_waiting(self, store: Store) -> None:
        with needs_lock(store).lock("key"):
            with pytest.raises(RuntimeError), needs_lock(store).lock("key"):
                pass
            taker = _Taker(store, "key")
            assert not taker.is_done_in(0.2)
        assert taker.is_done_in(5)

    def test_exception_frees_the_lock_and_comes_out_as_it_is(self, store: Store) -> None:
        error = OSError("of the block")
        with pytest.raises(OSError) as caught, needs_lock(store).lock("key"):
            raise error
        assert caught.value is error
        assert _Taker(store, "key").is_done_in(5)


class BoundedContract(_Base):
    """What a store that keeps within a budget does besides."""

    def test_store_may_hold_something_from_the_start(self, store: Store) -> None:
        assert needs_budget(store).budget() > 1_000_000

    def test_budget_is_what_it_was_set_to(self, store: Store) -> None:
        for nbytes in (3_000_000, 5_000_000, 2_000_000):
            needs_budget(store).resize(nbytes)
            assert needs_budget(store).budget() == nbytes

    def test_budget_below_what_is_used_is_refused_and_nothing_is_lost(self, store: Store) -> None:
        store.put(SPACE, "key", [b"x" * 300_000], ttl=5)
        before = needs_budget(store).budget()
        with pytest.raises(StoreFull, match="delete"):
            needs_budget(store).resize(200_000)
        assert needs_budget(store).budget() == before
        assert plain(store.get(SPACE, "key")) == [b"x" * 300_000]

    @pytest.mark.parametrize("nbytes", [0, -1])
    def test_budget_of_nothing_is_refused(self, store: Store, nbytes: int) -> None:
        with pytest.raises(ValueError):
            needs_budget(store).resize(nbytes)

    def test_value_beyond_the_budget_is_refused_or_lies_elsewhere(self, store: Store) -> None:
        store.put(SPACE, "key", [b"old"])
        store.put(SPACE, "for good", [b"x" * 700_000])
        needs_budget(store).resize(1_000_000)
        kept = b"old"
        for size in (500_000, 5_000_000):
            with contextlib.suppress(StoreFull):
                store.put(SPACE, "key", [b"x" * size])
                kept = b"x" * size
            assert plain(store.get(SPACE, "key")) == [kept]
            assert store.usage() <= 1_000_000
        assert plain(store.get(SPACE, "for good")) == [b"x" * 700_000]

    @pytest.mark.parametrize("ttl", [None, 1000])
    def test_session_keeps_within_its_quota(self, store: Store, ttl: float | None) -> None:
        for number in range(5):
            with contextlib.suppress(StoreFull):
                store.put("session/a", str(number), [b"x" * 200_000], ttl=ttl, quota=500_000)
        assert 200_000 < store.usage() <= 500_000

    def test_what_has_a_time_to_live_makes_room(self, store: Store) -> None:
        needs_budget(store).resize(1_000_000)
        for number in range(20):
            store.put(SPACE, str(number), [b"x" * 200_000], ttl=1000)
            assert plain(store.get(SPACE, str(number))) == [b"x" * 200_000]
            assert store.usage() <= 1_000_000

    def test_name_that_fills_the_store_can_be_replaced(self, store: Store) -> None:
        needs_budget(store).resize(1_000_000)
        for byte in (b"a", b"b", b"c"):
            store.put(SPACE, "key", [byte * 900_000])
        assert plain(store.get(SPACE, "key")) == [b"c" * 900_000]


class SharedContract(_Base):
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
            taker = _Taker(reopen(), "key")
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
            taker = _Taker(store, "key")
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


class _Taker:
    """A thread that takes a lock, as soon as it can, and leaves it at once."""

    def __init__(self, store: Store, key: str) -> None:
        self._store, self._key = store, key
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with needs_lock(self._store).lock(self._key):
            pass

    def is_done_in(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()


def _in_threads(works: Sequence[Callable[[int], None]]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work, number) for number, work in enumerate(works)]:
            done.result()
