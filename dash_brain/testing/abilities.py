"""What some stores can do besides."""

from __future__ import annotations

import contextlib

import pytest

from dash_brain.errors import StoreFull
from dash_brain.stores.base import Store, needs_budget, needs_lock, needs_scan
from dash_brain.stores.namespaces import DOMAINS, VALUE
from dash_brain.testing.common import KEYS, SPACE, Contract, PassTime, Taker, in_threads, plain


class ScansContract(Contract):
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


class LocksContract(Contract):
    """What a store that locks keys does besides."""

    def test_lock_lets_one_thread_in_at_a_time(self, store: Store) -> None:
        inside: list[int] = []

        def enter(number: int) -> None:
            for _ in range(20):
                with needs_lock(store).lock("key"):
                    inside.append(number)
                    assert inside == [number]
                    inside.remove(number)

        in_threads([enter] * 6)

    def test_locks_of_different_keys_are_apart(self, store: Store) -> None:
        locks = needs_lock(store)
        with locks.lock(""), locks.lock("a"), locks.lock("A"), locks.lock("\ud800\0/" * 100):
            assert Taker(store, "b").is_done_in(5)

    def test_lock_is_no_obstacle_to_the_object_of_that_name(self, store: Store) -> None:
        with needs_lock(store).lock("key"), needs_lock(store).lock(f"{SPACE}/key"):
            store.put(SPACE, "key", [b"old"])
            store.put(SPACE, "key", [b"new"])
            assert store.delete(SPACE, "key")

    def test_locking_twice_in_one_thread_raises_instead_of_waiting(self, store: Store) -> None:
        with needs_lock(store).lock("key"):
            with pytest.raises(RuntimeError), needs_lock(store).lock("key"):
                pass
            taker = Taker(store, "key")
            assert not taker.is_done_in(0.2)
        assert taker.is_done_in(5)

    def test_exception_frees_the_lock_and_comes_out_as_it_is(self, store: Store) -> None:
        error = OSError("of the block")
        with pytest.raises(OSError) as caught, needs_lock(store).lock("key"):
            raise error
        assert caught.value is error
        assert Taker(store, "key").is_done_in(5)


class BoundedContract(Contract):
    """What a store that keeps within a budget does besides."""

    def test_store_may_hold_something_from_the_start(self, store: Store) -> None:
        assert needs_budget(store).budget() > 1_000_000

    def test_budget_is_what_it_was_set_to(self, store: Store) -> None:
        for nbytes in (3_000_000, 5_000_000, 2_000_000):
            needs_budget(store).resize(nbytes)
            assert needs_budget(store).budget() == nbytes

    def test_budget_below_what_is_used_is_refused_and_nothing_is_lost(self, store: Store) -> None:
        store.put(SPACE, "key", [b"x" * 300_000], ttl=100)
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
                store.put(
                    "session/a", str(number), [b"x" * 200_000], ttl=ttl, retention=VALUE.within(500_000)
                )
        assert 200_000 < store.usage() <= 500_000

    def test_bookkeeping_is_bounded_in_size_and_number(self, store: Store) -> None:
        most, largest = DOMAINS["logins"].most, DOMAINS["logins"].largest
        with pytest.raises(StoreFull):
            store.put("logins/app", "large", [b"x" * (largest + 1)])
        for number in range(most + 3):
            store.put("logins/app", str(number), [b"x"])
        there = [number for number in range(most + 3) if store.exists("logins/app", str(number))]
        assert len(there) <= most
        assert most + 2 in there

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
