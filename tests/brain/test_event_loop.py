"""Coroutine functions: whatever asks the store, or reads a large value, does so beside the event loop."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any

import pytest

from dash_brain import Brain
from dash_brain.stores import FileStore, StoreWrapper

VERBS = ("put", "get", "info", "exists", "touch", "touch_many", "delete", "lock", "scan", "namespaces")


class Noting(StoreWrapper):
    """Notes what is asked of it in the thread of an event loop, which stands still meanwhile."""

    def __init__(self, wrapped: Any) -> None:
        super().__init__(wrapped)
        self.noted: list[str] = []


def noting(verb: str) -> Any:
    original = getattr(StoreWrapper, verb)

    @wraps(original)
    def ask(self: Noting, *args: Any, **options: Any) -> Any:
        if asyncio._get_running_loop() is not None:
            self.noted.append(verb)
        return original(self, *args, **options)

    return ask


for _verb in VERBS:
    setattr(Noting, _verb, noting(_verb))


@pytest.fixture
def store(tmp_path):
    return Noting(FileStore(tmp_path))


@pytest.fixture
def names(store):
    return Brain("test", store=store)


def test_a_memoized_coroutine_function_asks_nothing_on_the_loop(names, store):
    calls = []

    @names.memoize(key=lambda n: n)
    async def double(n):
        calls.append(n)
        await asyncio.sleep(0)
        return [n * 2]

    async def main():
        missed = await double(1)
        waited = await asyncio.gather(*(double(2) for _ in range(5)))
        return [missed, *waited, await double(1)]

    assert asyncio.run(main()) == [[2], *[[4]] * 5, [2]]
    assert calls == [1, 2]
    hits, misses, size, _ = double.info()
    assert (hits + misses, size) == (7, 2)
    assert hits >= 1  # and more where one of the five looked when the value was there
    assert store.noted == []


def test_nor_does_the_renewal_of_a_stale_result(names, store):
    renewed = asyncio.Event()
    calls = []

    @names.memoize(ttl=1e-6, stale=600, key=lambda n: n)
    async def double(n):
        calls.append(n)
        if len(calls) > 1:
            renewed.set()
        return [n * 2]

    async def main():
        first = await double(1)
        await asyncio.sleep(0.01)
        again = await double(1)
        await asyncio.wait_for(renewed.wait(), 30)
        return first, again

    assert asyncio.run(main()) == ([2], [2])
    assert store.noted == []


def test_get_or_learn_asks_nothing_on_the_loop(names, store):
    async def make():
        await asyncio.sleep(0)
        return [1]

    async def main():
        made = await asyncio.gather(*(names.get_or_learn("name", make) for _ in range(5)))
        return [*made, await names.get_or_learn("name", make)]

    assert asyncio.run(main()) == [[1]] * 6
    assert store.noted == []
