"""A policy of Redis may evict any key: what it tells is made anew, and nothing stays wrong for good."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from dash_brain.errors import LeaseLost, ValueMissing
from dash_brain.stores.base import needs_budget, needs_lock
from dash_brain.stores.locked import making_under
from dash_brain.stores.namespaces import DOMAINS, VALUE
from dash_brain.stores.redis.names import BYTES, PREFIX, index_of, value_of
from tests.stores.redis.traffic import SPACE

SESSION = "session/client"
#: There for some seconds after somebody has begun to make the bookkeeping anew.
RECOUNTING = PREFIX + b"recounting"
BOOKKEEPING = ("expiring", "usage", "gone", "coming", "removed", "budget")


@pytest.fixture
def client(lasting_server) -> Iterator[redis.Redis]:
    with redis.Redis(port=lasting_server.port) as client:
        yield client


@pytest.fixture
def filled(store):
    """A store with values that live for good and for a while, and with notes."""
    for number in range(4):
        store.put(SPACE, f"key {number}", [bytes(1000)])
        store.put(SESSION, f"key {number}", [bytes(1000)], ttl=1000, retention=VALUE.within(100_000))
        store.put("logins/app", f"note {number}", [b"x"])
    return store


def counted(store, *spaces: str) -> int:
    """Return the bytes of all objects in these namespaces, each asked for."""
    return sum(store.info(space, key).nbytes for space in spaces for key in store.scan(space))


def is_right(store) -> None:
    """Raise unless the bookkeeping tells of what is there."""
    assert store.usage() == counted(store, SPACE, SESSION, "logins/app")
    assert store._link.run("usage", "client") == counted(store, SESSION)
    for space in (SPACE, SESSION, "logins/app"):
        assert list(store.namespaces(space.partition("/")[0])) == [space]


@pytest.mark.parametrize("lost", [*([one] for one in BOOKKEEPING), BOOKKEEPING])
@pytest.mark.parametrize("heal", ["put", "sweep"])
def test_bookkeeping_that_was_evicted_is_made_anew(filled, client, lost, heal):
    client.unlink(RECOUNTING, *(PREFIX + one.encode() for one in lost))
    if heal == "put":
        filled.put(SPACE, "later", [bytes(1000)])
    else:
        filled.sweep()
    is_right(filled)
    filled.put(SESSION, "short", [b"x"], ttl=0)
    assert filled.sweep() == 1
    is_right(filled)


def test_what_expires_later_is_swept_though_that_was_evicted(filled, client, server_time_passes):
    filled.put(SPACE, "short", [b"x"], ttl=0.5)
    client.unlink(RECOUNTING, PREFIX + b"expiring")
    filled.put(SPACE, "later", [b"x"])
    server_time_passes(0.6)
    assert filled.sweep() == 1
    is_right(filled)


@pytest.fixture
def server_time_passes(client):
    def now() -> float:
        seconds, micros = client.time()
        return float(seconds + micros / 1e6)

    def wait(seconds: float) -> None:
        end = now() + seconds
        while now() < end:
            time.sleep(0.05)

    return wait


def test_index_that_was_evicted_takes_its_objects_along(filled, client):
    client.unlink(index_of(SPACE))
    assert list(filled.scan(SPACE)) == list(filled.namespaces("brain")) == []
    with pytest.raises(ValueMissing):
        filled.get(SPACE, "key 0")
    assert filled.look([(SPACE, "key 0")]) == [None]
    filled.sweep()
    assert filled.usage() == counted(filled, SESSION, "logins/app")
    filled.put(SPACE, "key 0", [b"new"])
    assert bytes(filled.get(SPACE, "key 0")[0]) == b"new"
    is_right(filled)


@pytest.mark.parametrize("ask", ["get", "info", "exists", "scan", "touch", "delete", "put", "sweep"])
def test_value_that_was_evicted_is_a_miss_and_takes_no_room(filled, client, ask):
    client.unlink(value_of(SPACE, "key 0"))
    assert filled.look([(SPACE, "key 0")]) == [None]
    if ask in ("get", "info"):
        with pytest.raises(ValueMissing, match="was evicted"):
            getattr(filled, ask)(SPACE, "key 0")
    elif ask == "scan":
        assert "key 0" not in list(filled.scan(SPACE))
    elif ask == "touch":
        assert filled.touch_many(SPACE, ["key 0"], 5) == {"key 0"}
    elif ask == "put":
        filled.put(SPACE, "key 0", [b"x"], replaces="")
    elif ask == "sweep":
        filled.sweep()
    else:
        assert not getattr(filled, ask)(SPACE, "key 0")
    is_right(filled)


def test_notes_are_bounded_though_their_order_was_evicted(store, client):
    most = DOMAINS["logins"].most
    for number in range(most + 5):
        client.unlink(PREFIX + b"order:logins/app")
        store.put("logins/app", f"{number}", [b"x"])
    left = set(store.scan("logins/app"))
    assert len(left) == most
    assert f"{most + 4}" in left


def test_note_whose_record_is_none_makes_room_too(store, client):
    most = DOMAINS["logins"].most
    for number in range(most):
        client.hset(index_of("logins/app"), f"{number}", "x")
    store.put("logins/app", "newest", [b"x"])
    assert list(store.scan("logins/app")) == ["newest"]
    store.sweep()
    assert set(client.hkeys(index_of("logins/app"))) == {b"newest", BYTES}


def test_foreign_record_is_no_obstacle_when_room_is_made(store, client):
    client.hset(index_of(SPACE), "foreign", "x")
    needs_budget(store).resize(1_000_000)
    for number in range(3):
        store.put("memo/f", str(number), [bytes(600_000)])
    assert store.usage() < 1_000_000


def test_budget_that_was_evicted_is_that_of_the_url_again(store, client):
    before = needs_budget(store).budget()
    needs_budget(store).resize(1_000_000)
    client.unlink(PREFIX + b"budget")
    assert needs_budget(store).budget() == before


def test_lock_that_was_evicted_is_a_lost_lease(store, client):
    with needs_lock(store).lock("key"), making_under("key"):
        client.unlink(*client.keys(PREFIX + b"lock:*"))
        with pytest.raises(LeaseLost):
            store.put(SPACE, "key", [b"x"])
    with needs_lock(store).lock("key"), making_under("key"):
        store.put(SPACE, "key", [b"x"])


def test_count_that_was_evicted_is_right_for_what_changes_from_then_on(filled, client):
    client.unlink(RECOUNTING, PREFIX + b"usage")
    for number in range(3):
        filled.delete(SESSION, f"key {number}")
    assert filled.usage() == counted(filled, SESSION) > 0
    filled.put(SESSION, "new", [bytes(1000)], retention=VALUE.within(100_000))
    is_right(filled)


def test_what_is_read_is_evicted_last(store, server_time_passes):
    """Redis itself notes when a value was read last."""
    needs_budget(store).resize(1_000_000)
    for number in range(4):
        store.put("memo/f", str(number), [bytes(200_000)])
    server_time_passes(2.2)
    store.get("memo/f", "0")
    store.look([("memo/f", "1")])
    store.put("memo/f", "4", [bytes(300_000)])
    assert {"0", "1", "4"} <= set(store.scan("memo/f"))
    assert store.usage() <= 1_000_000
