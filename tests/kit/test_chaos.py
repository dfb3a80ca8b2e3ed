"""Stores that fail, stall and forget on request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from dash_brain import Brain
from dash_brain.errors import StoreFull, StoreUnavailable
from dash_brain.stores import MemoryStore, Store
from dash_brain.testing import (
    Clock,
    FailingStore,
    ForgettingStore,
    LocksContract,
    ScansContract,
    StallingStore,
)
from dash_brain.testing.chaos import VERBS
from dash_brain.testing.storing import StoringContract

#: A call of each verb.
CALLS = {
    "put": lambda store: store.put("brain/a", "key", [b"x"]),
    "get": lambda store: store.get("brain/a", "key"),
    "info": lambda store: store.info("brain/a", "key"),
    "exists": lambda store: store.exists("brain/a", "key"),
    "touch": lambda store: store.touch("brain/a", "key", None),
    "touch_many": lambda store: store.touch_many("brain/a", ["key"], None),
    "delete": lambda store: store.delete("brain/a", "key"),
    "look_ahead": lambda store: store.look_ahead(()),
    "drop": lambda store: store.drop("brain/a"),
    "usage": lambda store: store.usage(),
    "sweep": lambda store: store.sweep(),
    "scan": lambda store: list(store.scan("brain/a")),
    "namespaces": lambda store: list(store.namespaces("brain")),
    "lock": lambda store: store.lock("key").__enter__(),
}


class TestWrappedStores(StoringContract, ScansContract, LocksContract):
    """While they are left alone they do what the store does that they wrap."""

    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def pass_time(self, clock):
        return clock.advance

    @pytest.fixture
    def store(self, clock):
        return FailingStore(StallingStore(ForgettingStore(MemoryStore(clock=clock))))


def test_each_verb_fails_when_it_is_told_to_and_no_other():
    assert CALLS.keys() == VERBS
    for verb in VERBS:
        store = FailingStore(MemoryStore())
        store.put("brain/a", "key", [b"x"])
        with store.failing(verb, error=StoreFull("no room")):
            with pytest.raises(StoreFull, match="no room"):
                CALLS[verb](store)
            CALLS["usage" if verb != "usage" else "exists"](store)
        CALLS[verb](store)


def test_all_verbs_fail_unless_some_are_named_and_blocks_may_be_nested():
    store = FailingStore(MemoryStore())
    with store.failing():
        for verb in VERBS:
            with pytest.raises(StoreUnavailable, match="a test wants it so"):
                CALLS[verb](store)
        with store.failing("put", error=StoreFull("no room")), pytest.raises(StoreFull):
            CALLS["put"](store)
        with pytest.raises(StoreUnavailable):
            CALLS["put"](store)
    CALLS["put"](store)


def test_unknown_verb_is_refused():
    refused = pytest.raises(ValueError, match="no verb 'read'; it has delete, ")
    with refused, FailingStore(MemoryStore()).failing("read"):
        pass


def test_callers_of_a_store_that_stalls_wait_and_then_go_on():
    store = StallingStore(MemoryStore())
    with ThreadPoolExecutor(3) as threads:
        with store.stalling("put"):
            putting = [threads.submit(CALLS["put"], store) for _ in range(3)]
            assert [store.waits() for _ in putting] == [True] * 3
            assert not store.exists("brain/a", "key")
            assert not any(one.done() for one in putting)
        assert len({one.result(30) for one in putting}) == 3
    assert store.exists("brain/a", "key")
    assert not store.waits(0)


def test_a_store_that_forgets_loses_values_and_no_bookkeeping():
    store: Store = ForgettingStore(MemoryStore())
    for namespace in ("session/a", "session-names/a", "memo/app/a", "app/a", "brain/a", "session-registry/a"):
        store.put(namespace, "key", [b"x"])
    store.forget()
    assert list(store.namespaces("session-registry")) == ["session-registry/a"]
    assert store.exists("session-registry/a", "key")
    assert Brain("a", store=store).names("all") == []
    assert not any(store.exists(f"{domain}/a", "key") for domain in ("session", "session-names", "app"))
