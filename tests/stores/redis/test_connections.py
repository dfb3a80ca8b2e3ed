"""Connections are few, and those that Redis has closed are replaced at once."""

from __future__ import annotations

import os
import threading
from contextlib import closing

import pytest
import redis

from dash_brain.stores.redis import RedisStore
from tests.redis import KEY, RoundTrips
from tests.stores.redis.traffic import SPACE


@pytest.fixture
def client(lasting_server):
    with redis.Redis(port=lasting_server.port) as client:
        yield client


def read_at_once(store, threads: int) -> list[bytes]:
    """Read in so many threads at the same time."""
    together, found = threading.Barrier(threads), []

    def read():
        together.wait(60)
        found.extend(bytes(store.get(SPACE, "key")[0]) for _ in range(20))

    readers = [threading.Thread(target=read) for _ in range(threads)]
    for one in readers:
        one.start()
    for one in readers:
        one.join(60)
    return found


def test_connections_that_redis_closed_are_replaced_and_none_is_left(store, client):
    store.put(SPACE, "key", [b"x"])
    for _ in range(30):
        assert read_at_once(store, 6) == [b"x"] * 120
        client.client_kill_filter(_type="normal", skipme=True)
    pool = store._link.client.connection_pool
    assert len(pool._in_use_connections) <= 8
    assert pool._created_connections < 20


def test_one_connection_is_enough(url):
    with closing(RedisStore(f"{url}&max_connections=1", key=KEY)) as store:
        store.put(SPACE, "key", [b"x" * 1_000_000])
        for _ in range(3):
            assert len(store.get(SPACE, "key")[0]) == 1_000_000
            assert store.exists(SPACE, "key")


@pytest.mark.parametrize("size", [10, 100_000])
def test_read_of_a_small_value_is_one_round_trip(store, lasting_server, size):
    store.put(SPACE, "key", [b"x" * size])
    store.get(SPACE, "key")
    with closing(RoundTrips(lasting_server)) as round_trips:
        for _ in range(5):
            assert bytes(store.get(SPACE, "key")[0]) == b"x" * size
        assert round_trips.count() == 5


def test_value_that_was_received_is_not_shared_with_a_forked_child(store):
    store.put(SPACE, "key", [b"x" * 1_000_000])
    (value,) = store.get(SPACE, "key")
    child = os.fork()
    if not child:
        value[:] = b"y" * len(value)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert bytes(value) == b"x" * 1_000_000
