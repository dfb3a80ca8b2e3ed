"""Stores in servers that the tests start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dash_brain.stores.redis import RedisStore
from tests.redis import KEY, Server, redis_server, running, valkey_server

#: The programs that a store is tested with.
PROGRAMS = {"redis": redis_server, "valkey": valkey_server}


@pytest.fixture(scope="package", params=sorted(PROGRAMS))
def lasting_server(request) -> Iterator[Server]:
    """A server for all tests that do it no harm."""
    with running(PROGRAMS[request.param]()) as server:
        yield server


@pytest.fixture
def url(lasting_server) -> str:
    """The address of an empty store whose leases are short."""
    url = f"{lasting_server.url}?lease=2"
    store = RedisStore(url, key=KEY)
    store._link.client.flushall()
    store.close()
    return url


@pytest.fixture
def store(url) -> Iterator[RedisStore]:
    store = RedisStore(url, key=KEY)
    yield store
    store.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of its own for a test that kills, stops or fills it."""
    with running(redis_server()) as server:
        yield server
