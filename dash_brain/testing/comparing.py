"""Compare and set: a put or a delete that is meant for one object touches no other."""

from __future__ import annotations

import contextlib
from functools import partial

import pytest

from dash_brain.errors import ValueConflict, ValueMissing
from dash_brain.stores.base import ABSENT, Store, new_object_id
from dash_brain.testing.common import SPACE, Contract, PassTime, in_threads, plain


class ComparingContract(Contract):
    """What every store does when it is told which object it will find."""

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_put_replaces_the_object_that_it_expects(self, store: Store, size: int) -> None:
        first = store.put(SPACE, "key", [b"1" * size], replaces=ABSENT)
        second = store.put(SPACE, "key", [b"2" * size], replaces=first)
        third = store.put(SPACE, "key", [b"3" * size], replaces=second)
        assert store.info(SPACE, "key").object_id == third
        assert plain(store.get(SPACE, "key")) == [b"3" * size]

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_put_that_expects_another_object_changes_nothing(self, store: Store, size: int) -> None:
        older = store.put(SPACE, "key", [b"old"])
        there = store.put(SPACE, "key", [b"x" * size])
        used = store.usage()
        for expected in (ABSENT, older, new_object_id()):
            with pytest.raises(ValueConflict, match="'key'"):
                store.put(SPACE, "key", [b"new" * size], replaces=expected)
        assert store.info(SPACE, "key").object_id == there
        assert plain(store.get(SPACE, "key")) == [b"x" * size]
        assert store.usage() == used

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_put_that_expects_an_object_does_not_bring_it_back(self, store: Store, size: int) -> None:
        gone = store.put(SPACE, "key", [b"old"])
        store.delete(SPACE, "key")
        for key in ("key", "never"):
            with pytest.raises(ValueConflict):
                store.put(SPACE, key, [b"x" * size], replaces=gone)
            with pytest.raises(ValueMissing):
                store.get(SPACE, key)
        assert store.usage() == 0

    def test_expired_object_is_absent(self, store: Store, pass_time: PassTime) -> None:
        expired = [store.put(SPACE, key, [b"old"], ttl=0.5) for key in ("one", "two")]
        pass_time(0.6)
        with pytest.raises(ValueConflict):
            store.put(SPACE, "one", [b"new"], replaces=expired[0])
        store.put(SPACE, "two", [b"new"], replaces=ABSENT)
        assert plain(store.get(SPACE, "two")) == [b"new"]

    def test_new_time_to_live_makes_no_new_object(self, store: Store) -> None:
        object_id = store.put(SPACE, "key", [b"old"])
        store.touch(SPACE, "key", 1000)
        store.get(SPACE, "key")
        store.put(SPACE, "key", [b"new"], replaces=object_id)
        assert plain(store.get(SPACE, "key")) == [b"new"]

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_delete_removes_the_object_that_it_expects_and_no_other(self, store: Store, size: int) -> None:
        older = store.put(SPACE, "key", [b"x" * size])
        there = store.put(SPACE, "key", [b"x" * size])
        for expected in (older, new_object_id()):
            assert store.delete(SPACE, "key", object_id=expected) is False
        assert plain(store.get(SPACE, "key")) == [b"x" * size]
        assert store.delete(SPACE, "key", object_id=there) is True
        assert store.delete(SPACE, "key", object_id=there) is False
        assert store.usage() == 0

    @pytest.mark.parametrize("size", [10, 100_000])
    def test_of_many_threads_that_expect_one_object_one_replaces_it(self, store: Store, size: int) -> None:
        for number in range(20):
            expected = ABSENT if number % 2 else store.put(SPACE, str(number), [b"x"])
            won: list[int] = []

            def replace(thread: int, key: str, expected: str, won: list[int]) -> None:
                with contextlib.suppress(ValueConflict):
                    store.put(SPACE, key, [bytes([thread]) * size], replaces=expected)
                    won.append(thread)

            in_threads([partial(replace, key=str(number), expected=expected, won=won)] * 4)
            assert plain(store.get(SPACE, str(number))) == [bytes(won) * size]
