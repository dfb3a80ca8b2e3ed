"""What is put lives as long as it may, and no longer."""

from __future__ import annotations

import contextlib
import math

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores.base import ABSENT, Store
from dash_brain.testing.common import SPACE, Contract, PassTime, plain


class LifetimesContract(Contract):
    """What every store does as time goes by."""

    def test_expired_object_is_a_miss(self, store: Store, pass_time: PassTime) -> None:
        for key in ("get", "info", "touch", "delete"):
            store.put(SPACE, key, [b"x"], ttl=0.5)
        with contextlib.suppress(ValueMissing):  # on a machine that is busy it is over already
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
        for key, before, ttl in (("longer", 0.5, 100), ("for good", 0.5, None), ("shorter", None, 0.5)):
            for _ in range(20):
                store.put(SPACE, key, [b"x"], ttl=before)
                with contextlib.suppress(ValueMissing):  # on a machine that is busy it is over already
                    store.touch(SPACE, key, ttl)
                    break
        pass_time(0.6)
        assert plain(store.get(SPACE, "longer")) == plain(store.get(SPACE, "for good")) == [b"x"]
        assert store.info(SPACE, "longer").expires is not None
        assert store.info(SPACE, "for good").expires is None
        with pytest.raises(ValueMissing):
            store.get(SPACE, "shorter")

    def test_many_get_a_new_time_to_live_at_once_and_those_that_are_missing_are_named(
        self, store: Store, pass_time: PassTime
    ) -> None:
        store.put(SPACE, "over", [b"x"], ttl=0.5)
        pass_time(0.6)
        for key in ("one", "other", "not asked for"):
            store.put(SPACE, key, [b"x"], ttl=100)
        assert store.touch_many(SPACE, iter(["one", "over", "none", "other"]), 0.5) == {"over", "none"}
        pass_time(0.6)
        assert plain(store.get(SPACE, "not asked for")) == [b"x"]
        for key in ("one", "other"):
            with pytest.raises(ValueMissing):
                store.get(SPACE, key)

    def test_replacing_takes_the_new_time_to_live(self, store: Store, pass_time: PassTime) -> None:
        store.put(SPACE, "key", [b"old"], ttl=0.5)
        store.put(SPACE, "key", [b"new"])
        pass_time(0.6)
        assert plain(store.get(SPACE, "key")) == [b"new"]

    def test_object_that_was_put_while_the_clock_was_ahead_does_not_live_until_then(
        self, store: Store, pass_time: PassTime, set_clock_back: PassTime
    ) -> None:
        for key in ("get", "info", "touch", "delete", "replaced", "expected"):
            store.put(SPACE, key, [b"x"], ttl=60)
        store.put(SPACE, "for good", [b"x"])
        set_clock_back(24 * 3600)
        for verb in (store.get, store.info):
            with pytest.raises(ValueMissing):
                verb(SPACE, verb.__name__)
        with pytest.raises(ValueMissing):
            store.touch(SPACE, "touch", 60)
        assert store.delete(SPACE, "delete") is False
        store.put(SPACE, "replaced", [b"new"], ttl=60)
        store.put(SPACE, "expected", [b"new"], ttl=60, replaces=ABSENT)
        for key, frames in (("replaced", [b"new"]), ("expected", [b"new"]), ("for good", [b"x"])):
            assert plain(store.get(SPACE, key)) == frames
        store.sweep()
        assert plain(store.get(SPACE, "replaced")) == [b"new"]
        pass_time(61)
        with pytest.raises(ValueMissing):
            store.get(SPACE, "replaced")

    def test_clock_that_is_set_back_a_little_costs_no_object(
        self, store: Store, set_clock_back: PassTime
    ) -> None:
        store.put(SPACE, "key", [b"x"], ttl=60)
        set_clock_back(50)
        for _ in range(2):
            assert plain(store.get(SPACE, "key")) == [b"x"]
            store.sweep()

    def test_use_is_noted_after_the_clock_was_set_back(self, store: Store, set_clock_back: PassTime) -> None:
        store.put(SPACE, "key", [b"x"])
        before = store.info(SPACE, "key").used
        set_clock_back(24 * 3600)
        store.get(SPACE, "key")
        assert store.info(SPACE, "key").used == pytest.approx(before - 24 * 3600, abs=60)

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

    def test_sweep_removes_what_has_expired_and_nothing_else(self, store: Store, pass_time: PassTime) -> None:
        for number in range(5):
            store.put("brain/short", str(number), [b"x"], ttl=100)
        store.put(SPACE, "short", [b"x"], ttl=100)
        store.put(SPACE, "long", [b"x"], ttl=1000)
        store.put(SPACE, "for good", [b"x"])
        assert store.sweep() == 0
        store.touch_many("brain/short", map(str, range(5)), 0.5)
        store.touch(SPACE, "short", 0.5)
        pass_time(0.6)
        assert store.sweep() == 6
        assert store.sweep() == 0
        assert store.usage() == store.info(SPACE, "long").nbytes + store.info(SPACE, "for good").nbytes
