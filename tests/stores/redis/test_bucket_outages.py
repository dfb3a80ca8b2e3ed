"""The bucket or Redis goes away, writers are killed: errors with names, nothing torn, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import closing, suppress

import pytest

from dash_brain.errors import StoreError, StoreUnavailable, ValueMissing
from dash_brain.stores.redis import RedisStore
from dash_brain.stores.redis.names import PREFIX
from tests.programs import REPOSITORY
from tests.redis import KEY
from tests.stores.redis.proxy import Proxy
from tests.stores.redis.traffic import SPACE, Traffic
from tests.torture.sizes import size

ROUNDS = size(2, 200)


@pytest.fixture
def impatient(bucket_url):
    with closing(RedisStore(bucket_url.replace("timeout=20", "timeout=1"), key=KEY)) as store:
        yield store


def all_names(store) -> set[str]:
    return {name for names in store._blobs.bucket.names() for name in names}


def recovers(store, seconds: float = 60) -> None:
    """Raise unless large values can soon be put and read again."""
    end, content = time.monotonic() + seconds, b"r" * (2 << 20)
    while True:
        with suppress(StoreError, ValueMissing):
            store.put(SPACE, "recovered", [content])
            assert bytes(store.get(SPACE, "recovered")[0]) == content
            return
        assert time.monotonic() < end, "the store did not recover"
        time.sleep(0.05)


def assert_nothing_is_left(store, client) -> None:
    """Raise unless a sweep leaves exactly what can be read, once no writer is at work."""
    for lock in client.scan_iter(PREFIX + b"lock:*"):
        client.unlink(lock)  # as after a minute
    there = set()
    for key in store.scan(SPACE):
        with suppress(ValueMissing):
            store.get(SPACE, key)
            there.add(store.info(SPACE, key).object_id)
    sweep_until(store, lambda names: {name.partition("/")[0] for name in names} <= there)
    store.drop(SPACE)
    sweep_until(store, lambda names: not names)


def sweep_until(store, is_right, seconds: float = 30) -> None:
    """Sweep until it is right: a part whose sender gave up may arrive at the server after a sweep."""
    end = time.monotonic() + seconds
    while store.sweep() or not is_right(all_names(store)):
        assert time.monotonic() < end, "sweeps leave something"
        time.sleep(0.2)


@pytest.mark.timeout(size(600, 0))
def test_bucket_that_is_killed_and_started_again(impatient, s3, client):
    recovers(impatient)
    with Traffic(impatient) as traffic:
        for _ in range(size(1, 100)):
            time.sleep(0.2)
            s3.kill()
            time.sleep(0.5)
            s3.start()
            recovers(impatient)
    assert traffic.met["done"]
    assert_nothing_is_left(impatient, client)


@pytest.mark.timeout(size(600, 0))
def test_bucket_that_stands_still(impatient, s3):
    recovers(impatient)
    s3.stop()
    try:
        with pytest.raises(StoreUnavailable, match="bucket"):
            impatient.get(SPACE, "recovered")
        with pytest.raises(StoreUnavailable, match="bucket"):
            impatient.put(SPACE, "x", [b"x" * (2 << 20)])
        impatient.put(SPACE, "small", [b"x"])  # what lies in Redis alone goes on
    finally:
        s3.go_on()
    recovers(impatient)
    assert not impatient.exists(SPACE, "x")


@pytest.mark.timeout(size(600, 0))
def test_redis_that_loses_its_data_leaves_nothing_in_the_bucket(bucket_store, client):
    with Traffic(bucket_store) as traffic:
        for _ in range(ROUNDS):
            time.sleep(0.3)
            client.flushall()
            recovers(bucket_store)
    assert set(traffic.met) <= {"done", "ValueMissing", "StoreUnavailable"}
    assert_nothing_is_left(bucket_store, client)


@pytest.mark.timeout(size(600, 0))
def test_sweeps_all_the_time_take_nothing_from_anybody(bucket_store, client):
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            bucket_store.sweep()

    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    try:
        for number in range(5 * ROUNDS):
            content = bytes([number % 256]) * (9 << 20)
            bucket_store.put(SPACE, "key", [content])
            assert bytes(bucket_store.get(SPACE, "key")[0]) == content
    finally:
        over.set()
        sweeping.join()
    assert_nothing_is_left(bucket_store, client)


@pytest.mark.timeout(size(600, 0))
def test_transfers_that_are_cut(bucket_url, s3, monkeypatch, client):
    proxy = Proxy(s3.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
    with closing(proxy), closing(RedisStore(bucket_url, key=KEY)) as store:
        with Traffic(store, threads=2) as traffic:
            for _ in range(ROUNDS):
                proxy.cutting = True
                time.sleep(1)
                proxy.cutting = False
                recovers(store)
        assert traffic.met["done"]
        assert_nothing_is_left(store, client)


def test_put_whose_answer_is_lost_leaves_a_whole_value(redis_of_buckets, bucket_url, bucket_store):
    proxy = Proxy(redis_of_buckets.port)
    url = bucket_url.replace(f":{redis_of_buckets.port}/", f":{proxy.port}/")
    content, old = b"x" * (2 << 20), bucket_store.put(SPACE, "key", [b"old"])
    with closing(proxy), closing(RedisStore(url, key=KEY)) as through:
        through.exists(SPACE, "key")
        proxy.lose_answer_to(b"put", 2)  # after the question whether there is room
        with pytest.raises(StoreUnavailable):
            through.put(SPACE, "key", [content], replaces=old)
    assert bytes(bucket_store.get(SPACE, "key")[0]) == content
    bucket_store.sweep()
    assert bytes(bucket_store.get(SPACE, "key")[0]) == content


WRITER = """
import sys
from dash_brain.stores.redis import RedisStore

store = RedisStore(sys.argv[1], key=sys.argv[2])
store.put("brain/traffic", "ready", [b"x"])
while True:
    store.put("brain/traffic", "key 0", [b"y" * (20 << 20)])
"""


@pytest.mark.timeout(size(600, 0))
def test_writers_that_are_killed_leave_nothing_behind(bucket_store, bucket_url, client):
    for number in range(ROUNDS):
        bucket_store.delete(SPACE, "ready")
        writer = subprocess.Popen([sys.executable, "-c", WRITER, bucket_url, KEY], cwd=REPOSITORY)
        try:
            while not bucket_store.exists(SPACE, "ready"):
                assert writer.poll() is None
                time.sleep(0.05)
            time.sleep(0.1 + number * 0.137 % 1)
        finally:
            writer.kill()
            writer.wait()
        with suppress(ValueMissing):
            assert bytes(bucket_store.get(SPACE, "key 0")[0]) == b"y" * (20 << 20)
    assert_nothing_is_left(bucket_store, client)
