"""Redis goes away, stands still, loses data, has no memory left: errors with names, and nothing torn."""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager

import pytest
import redis

from dash_brain.errors import StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores.base import needs_lock
from dash_brain.stores.namespaces import VALUE
from dash_brain.stores.redis import RedisStore
from dash_brain.stores.redis.names import PREFIX, index_of
from tests.redis import KEY, redis_server, running
from tests.stores.redis.proxy import Proxy
from tests.stores.redis.traffic import SPACE, Traffic, check, frames_of, recovers
from tests.torture.sizes import size

ROUNDS = size(20, 1000)


@pytest.fixture
def store(server):
    store = RedisStore(server.url, key=KEY)
    yield store
    store.close()


@pytest.fixture
def impatient(server):
    store = RedisStore(f"{server.url}?timeout=0.5", key=KEY)
    yield store
    store.close()


@pytest.mark.timeout(size(600, 0))
def test_redis_that_is_killed_and_started_again(server, store):
    with Traffic(store) as traffic:
        for _ in range(ROUNDS):
            time.sleep(0.1)
            server.kill()
            time.sleep(0.1)
            server.start()
            recovers(store)
    assert traffic.met["done"] > ROUNDS
    assert traffic.met["StoreUnavailable"]


@pytest.mark.timeout(size(600, 0))
def test_redis_that_stands_still(server, impatient):
    with Traffic(impatient) as traffic:
        for number in range(ROUNDS):
            time.sleep(0.1)
            server.stop()
            time.sleep(5 if number == 0 else 0.7)
            server.go_on()
            recovers(impatient)
    assert traffic.met["done"] > ROUNDS
    assert traffic.met["StoreUnavailable"]


@pytest.mark.timeout(size(600, 0))
def test_redis_that_loses_its_data(server, store):
    with redis.Redis(port=server.port) as client, Traffic(store) as traffic:
        for _ in range(ROUNDS):
            time.sleep(0.1)
            client.flushall()
            recovers(store)
            assert store.usage() >= 0
    assert traffic.met["done"] > ROUNDS
    assert set(traffic.met) <= {"done", "ValueMissing", "StoreUnavailable"}


@pytest.mark.timeout(size(600, 0))
def test_connections_that_are_cut_in_the_middle_of_what_is_sent(server):
    proxy = Proxy(server.port)
    store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0?timeout=2", key=KEY)
    try:
        with Traffic(store) as traffic:
            for _ in range(ROUNDS):
                proxy.cutting = True
                time.sleep(0.3)
                proxy.cutting = False
                recovers(store)
        assert proxy.cuts > ROUNDS
        assert traffic.met["done"] > ROUNDS
    finally:
        store.close()
        proxy.close()


@pytest.mark.parametrize("size", [10, 9_000_000])
def test_change_whose_answer_is_lost_is_unknown_and_not_made_again(server, store, size):
    """Whoever compares and sets, or takes, would else be told of a conflict with what came after his own."""
    proxy = Proxy(server.port)
    through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0", key=KEY)
    first = through.put(SPACE, "key", [b"first"])
    try:
        with replaced_at_once(store, "key"):
            proxy.lose_answer_to(b"put", 1 if size == 10 else 2)
            with pytest.raises(StoreUnavailable):
                through.put(SPACE, "key", [b"x" * size], replaces=first)
        time.sleep(1.1)  # until it asks again
        last = through.info(SPACE, "key").object_id
        proxy.lose_answer_to(b"delete", 1)
        with pytest.raises(StoreUnavailable):
            through.delete(SPACE, "key", object_id=last)
        assert not store.exists(SPACE, "key")
        time.sleep(1.1)
        proxy.lose_answer_to(b"put", 1)
        through.put(SPACE, "key", [b"x"])  # this can be said twice
        assert bytes(store.get(SPACE, "key")[0]) == b"x"
    finally:
        through.close()
        proxy.close()


@pytest.mark.parametrize("size", [10, 9_000_000])
@pytest.mark.parametrize("change", ["put", "delete"])
def test_put_whose_answer_is_lost_is_not_made_again_over_what_came_after_it(server, store, size, change):
    """It is sent twice, and told as done: it was there, and what others did since then stays."""
    proxy = Proxy(server.port)

    def then():
        assert len(store.get(SPACE, "key")[0]) == size
        store.put(SPACE, "key", [b"newer"]) if change == "put" else store.delete(SPACE, "key")

    store.put(SPACE, "key", [b"first"])  # and Redis knows the script
    with closing(proxy), closing(RedisStore(f"redis://127.0.0.1:{proxy.port}/0", key=KEY)) as through:
        proxy.lose_answer_to(b"put", 1 if size == 10 else 2, then)
        through.put(SPACE, "key", [b"x" * size])
    assert store.exists(SPACE, "key") == (change == "put")
    if change == "put":
        assert bytes(store.get(SPACE, "key")[0]) == b"newer"
    assert store.usage() == sum(store.info(SPACE, key).nbytes for key in store.scan(SPACE))


def test_put_of_which_nobody_knows_whether_it_was_there_says_so(server, store):
    """Its answer is lost, it is replaced, and Redis evicts the note of that, all before it is sent again."""
    proxy = Proxy(server.port)

    def then():
        store.put(SPACE, "key", [b"newer"])
        with redis.Redis(port=server.port) as client:
            assert client.unlink(PREFIX + b"past")

    store.put(SPACE, "key", [b"first"])  # and Redis knows the script
    with closing(proxy), closing(RedisStore(f"redis://127.0.0.1:{proxy.port}/0", key=KEY)) as through:
        proxy.lose_answer_to(b"put", 2, then)
        with pytest.raises(StoreUnavailable, match=r"may have been there .* Look at what lies there"):
            through.put(SPACE, "key", [b"x" * 9_000_000])
    assert bytes(store.get(SPACE, "key")[0]) == b"newer"


@contextmanager
def replaced_at_once(store, key):
    """Replace what is put in this block as soon as it is there."""
    seen, over = store.info(SPACE, key).object_id, threading.Event()

    def replace():
        while not over.is_set():
            if store.info(SPACE, key).object_id != seen:
                store.put(SPACE, key, [b"newer"])
                return

    watcher = threading.Thread(target=replace)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@pytest.mark.timeout(size(600, 0))
@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "volatile-lru"])
def test_redis_that_has_no_memory_left(policy):
    options = ("--maxmemory", "100mb", "--maxmemory-policy", policy)
    with running(redis_server(), *options) as server, redis.Redis(port=server.port) as client:
        store = RedisStore(f"{server.url}?timeout=2", key=KEY)
        with Traffic(store) as traffic:
            for number in range(ROUNDS):
                with_foreign_values(client, 60 + number % 30)
                time.sleep(0.2)
                client.unlink(*(f"foreign {one}" for one in range(100)))
                recovers(store)
        assert traffic.met["done"] > ROUNDS
        store.close()


@pytest.mark.parametrize(
    ("space", "retention"), [(SPACE, None), ("session/client", VALUE.within(12_000_000))]
)
def test_what_redis_evicted_takes_no_room_any_more(server, space, retention):
    """Its policy may choose the index of a namespace: then nobody can count down what lay there."""
    store = RedisStore(f"{server.url}?size={'12MB' if retention is None else '1GB'}", key=KEY)
    with closing(store), redis.Redis(port=server.port) as client:
        for _ in range(3):
            for number in range(10):
                store.put(space, f"key {number}", [bytes(1_000_000)], retention=retention)
            assert store.usage() > 10_000_000
            client.unlink(index_of(space))
            with pytest.raises(ValueMissing):
                store.get(space, "key 0")


def with_foreign_values(client: redis.Redis, megabytes: int) -> None:
    """Fill the memory of Redis with what is not ours, as far as it goes."""
    try:
        for number in range(megabytes // 5):
            client.setrange(f"foreign {number}", 5_000_000 - 1, b"x")
    except redis.OutOfMemoryError:
        pass


def test_what_needs_no_memory_works_when_there_is_none():
    with running(redis_server(), "--maxmemory", "50mb") as server, redis.Redis(port=server.port) as client:
        store = RedisStore(f"{server.url}?timeout=2", key=KEY)
        store.put(SPACE, "key 0", frames_of("key 0", 1))
        store.put(SPACE, "other", [b"x"])
        with_foreign_values(client, 100)
        for number in range(20_000):
            try:
                client.set(f"small {number}", b"x" * 2000)
            except redis.OutOfMemoryError:
                break
        with pytest.raises(StoreFull, match="maxmemory"):
            store.put(SPACE, "new", [b"x" * 1_000_000])
        with needs_lock(store).lock("key"):
            check("key 0", store.get(SPACE, "key 0"))
            store.touch(SPACE, "key 0", 100)
            store.touch(SPACE, "key 0", None)
            assert store.exists(SPACE, "other")
            assert store.info(SPACE, "other").nbytes
            assert sorted(store.scan(SPACE)) == ["key 0", "other"]
            assert store.delete(SPACE, "other")
            store.drop(SPACE)
        assert store.usage() == 0
        store.close()


def test_what_may_be_evicted_makes_room_when_redis_has_no_memory_left():
    with running(redis_server(), "--maxmemory", "50mb") as server, redis.Redis(port=server.port) as client:
        store = RedisStore(f"{server.url}?timeout=2", key=KEY)
        for number in range(3):
            store.put("memo/a", str(number), [b"x" * 8_000_000], ttl=3600)
        with_foreign_values(client, 100)
        store.put(SPACE, "new", [b"x" * 8_000_000])
        assert len(store.get(SPACE, "new")[0]) == 8_000_000
        store.close()


def test_value_of_which_redis_evicted_a_part_is_a_miss_everywhere(server, store):
    for key in ("get", "info", "touch", "exists", "delete", "replaced"):
        object_id = store.put(SPACE, key, [b"x" * 9_000_000])
        with redis.Redis(port=server.port) as client:
            assert client.unlink(f"dash_brain:1:object:{object_id}:1")
    with pytest.raises(ValueMissing):
        store.get(SPACE, "get")
    with pytest.raises(ValueMissing):
        store.info(SPACE, "info")
    assert store.touch_many(SPACE, ["touch"], 5) == {"touch"}
    assert not store.exists(SPACE, "exists")
    assert not store.delete(SPACE, "delete")
    store.put(SPACE, "replaced", [b"y"], replaces="")
    assert store.usage() == store.info(SPACE, "replaced").nbytes


def test_outage_is_said_at_once_after_it_was_noticed(server, impatient):
    store = impatient
    store.put(SPACE, "key", [b"x"])
    server.stop()
    try:
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.get(SPACE, "key")
        begun = store._link._asked_again_at
        for _ in range(100):
            with pytest.raises(StoreUnavailable):
                store.get(SPACE, "key")
        assert store._link._asked_again_at == begun  # nobody has asked
    finally:
        server.go_on()


def test_put_that_is_interrupted_leaves_nothing_for_good(server, store, monkeypatch):
    monkeypatch.setattr("dash_brain.stores.redis.publish._with_room", lambda *_: None)
    store.put(SPACE, "key", [b"x" * 9_000_000])  # sent, and never published
    with redis.Redis(port=server.port) as client:
        chunks = list(client.scan_iter("dash_brain:1:object:*"))
        assert len(chunks) == 3
        assert all(0 < client.ttl(chunk) <= 600 for chunk in chunks)
