"""Stores in servers that the tests start."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import redis

from dash_brain.stores.redis import RedisStore
from tests.redis import KEY, Server, redis_server, running, valkey_server
from tests.s3 import BUCKET, S3, running_s3

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
    with redis.Redis(port=lasting_server.port) as client:
        client.flushall()
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


@pytest.fixture(scope="package")
def s3() -> Iterator[S3]:
    """An S3 server for all tests, which leave it running."""
    with running_s3() as server:
        yield server


@pytest.fixture(scope="package")
def redis_of_buckets() -> Iterator[Server]:
    with running(redis_server()) as server:
        yield server


@pytest.fixture
def client(redis_of_buckets) -> Iterator[redis.Redis]:
    """A client of the Redis that belongs to the bucket, empty at first."""
    with redis.Redis(port=redis_of_buckets.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def bucket_url(s3, redis_of_buckets, client, monkeypatch) -> str:
    """The address of an empty store whose large values lie in a bucket."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    url = f"{redis_of_buckets.url}?timeout=20&lease=2"
    return f"{url}&blobs=s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture
def bucket_store(bucket_url) -> Iterator[RedisStore]:
    store = RedisStore(bucket_url, key=KEY)
    yield store
    store.close()
