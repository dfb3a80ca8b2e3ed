"""What is read from Redis was put there by somebody with the key; else nothing of it is loaded."""

from __future__ import annotations

import random
import secrets

import pytest
import redis

from dash_brain import Brain
from dash_brain.errors import DecodeError, StoreUnavailable, ValueMissing
from dash_brain.settings import current
from dash_brain.stores.redis import RedisStore
from dash_brain.stores.redis.names import value_of
from dash_brain.stores.redis.reading import read
from tests.redis import KEY
from tests.stores.redis.traffic import SPACE
from tests.torture.sizes import size

OTHER_KEY = secrets.token_hex(16)


@pytest.fixture
def client(lasting_server):
    with redis.Redis(port=lasting_server.port) as client:
        yield client


def everything(client) -> dict[tuple[bytes, bytes], bytes]:
    """Return all bytes of objects, by key and field."""
    found = {}
    for name in client.scan_iter("dash_brain:1:object:*"):
        found[name, b""] = client.get(name)
    for name in client.scan_iter("dash_brain:1:value:*"):
        found.update({(name, field): value for field, value in client.hgetall(name).items()})
    return found


def overwrite(client, at: tuple[bytes, bytes], content: bytes) -> None:
    name, field = at
    client.set(name, content) if not field else client.hset(name, field, content)


@pytest.mark.parametrize("nbytes", [10, 5_000_000])
def test_any_byte_that_was_changed_is_noticed(store, client, nbytes):
    draw, frames = random.Random(nbytes), [b"s" * nbytes, b"b" * nbytes]
    store.put(SPACE, "key", frames, meta={"type": "bytes"})
    parts = everything(client)
    assert len(parts) == 2 + (nbytes > 10) * 3
    for at, content in parts.items():
        for _ in range(size(5, 300) if content else 0):
            changed = bytearray(content)
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
            overwrite(client, at, bytes(changed))
            with pytest.raises(DecodeError):
                store.get(SPACE, "key")
        overwrite(client, at, content)
    assert [bytes(frame) for frame in store.get(SPACE, "key")] == frames


@pytest.mark.parametrize("nbytes", [10, 5_000_000])
@pytest.mark.parametrize(
    "change", [lambda content: content[:-1], lambda content: content + b"x", lambda _: b""]
)
def test_parts_of_another_length_are_noticed(store, client, nbytes, change):
    store.put(SPACE, "key", [b"s" * nbytes])
    for at, content in everything(client).items():
        if not content:
            continue
        overwrite(client, at, change(content))
        with pytest.raises(DecodeError):
            store.get(SPACE, "key")
        overwrite(client, at, content)
    assert bytes(store.get(SPACE, "key")[0]) == b"s" * nbytes


def test_object_in_the_place_of_another_is_noticed(store, client):
    for key in ("first", "second"):
        store.put(SPACE, key, [key.encode()])
    index = f"dash_brain:1:index:{SPACE}"
    client.hset(index, "second", client.hget(index, "first"))  # the name of another
    with pytest.raises(DecodeError):
        store.get(SPACE, "second")
    with pytest.raises(DecodeError):
        store.info(SPACE, "second")
    client.restore(value_of(SPACE, "first"), 0, client.dump(value_of(SPACE, "second")), replace=True)
    with pytest.raises(DecodeError):
        store.get(SPACE, "first")
    client.hset(index, "first", client.hget(index, "second"))  # its record, and what lies there too
    with pytest.raises(DecodeError):
        store.get(SPACE, "first")


def test_older_object_of_the_same_name_under_another_id_is_noticed(store, client):
    older = store.put(SPACE, "key", [b"older"])
    kept = client.dump(value_of(SPACE, "key"))
    newer = store.put(SPACE, "key", [b"newer"])
    client.restore(value_of(SPACE, "key"), 0, kept, replace=True)
    with pytest.raises(DecodeError):
        store.get(SPACE, "key")
    manifest = client.hget(value_of(SPACE, "key"), "m")
    client.hset(value_of(SPACE, "key"), "m", manifest.replace(older.encode(), newer.encode()))
    with pytest.raises(DecodeError):
        store.get(SPACE, "key")


@pytest.mark.parametrize("record", ["", "x", "0 0 0 0 0 0", "../a 1 0 0 0 0", f"{'0' * 32} 1 99999999 1 1 0"])
def test_record_that_is_none_is_a_miss(store, client, record):
    store.put(SPACE, "key", [b"x"])
    client.hset(f"dash_brain:1:index:{SPACE}", "key", record)
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")
    store.put(SPACE, "key", [b"y"])
    assert bytes(store.get(SPACE, "key")[0]) == b"y"


def test_record_of_the_right_object_that_says_nothing_is_a_miss(store, client):
    object_id = store.put(SPACE, "key", [b"x"])
    client.hset(f"dash_brain:1:index:{SPACE}", "key", f"{object_id} junk")
    store.put(SPACE, "other", [b"y"])
    found = store.look([(SPACE, "key"), (SPACE, "other")])
    assert found[0] is None
    assert bytes(found[1].frames[0]) == b"y"


def test_value_of_another_key_is_refused_and_says_so(store, url):
    store.put(SPACE, "key", [b"x"])
    with pytest.raises(DecodeError, match="another key"):
        RedisStore(url, key=OTHER_KEY).get(SPACE, "key")
    with pytest.raises(DecodeError, match="another key"):
        RedisStore(url, key=OTHER_KEY).info(SPACE, "key")


def test_key_can_be_replaced_while_values_live_on(store, url):
    store.put(SPACE, "old", [b"x"])
    both = RedisStore(url, key=[OTHER_KEY, KEY])
    assert bytes(both.get(SPACE, "old")[0]) == b"x"
    both.put(SPACE, "new", [b"y"])
    assert bytes(RedisStore(url, key=OTHER_KEY).get(SPACE, "new")[0]) == b"y"


@pytest.fixture
def newly_configured():
    """Let the process be configured anew, and again after the test."""
    current.forget()
    yield
    current.forget()


@pytest.mark.usefixtures("newly_configured")
def test_key_is_that_of_the_configuration(url, monkeypatch):
    monkeypatch.setenv("DASH_BRAIN_KEY", KEY)
    Brain(store=RedisStore(url))["name"] = 1
    assert Brain(store=RedisStore(url, key=KEY))["name"] == 1


@pytest.mark.usefixtures("newly_configured")
def test_without_a_key_nothing_is_put_or_read(url, monkeypatch):
    monkeypatch.delenv("DASH_BRAIN_KEY", raising=False)
    store = RedisStore(url)
    for use in (store.check, lambda: store.put(SPACE, "key", [b"x"]), store.secret):
        with pytest.raises(StoreUnavailable, match="DASH_BRAIN_KEY"):
            use()


def test_no_secret_lies_in_redis(store, client):
    store.put(SPACE, "key", [b"x"])
    with store.lock("key"):
        pass
    said = repr([client.dump(name) for name in client.scan_iter()])
    assert KEY not in said
    assert store.secret().hex() not in said


def test_value_that_is_replaced_between_the_two_commands_of_a_read_is_the_newer_one(store, monkeypatch):
    store.put(SPACE, "key", [b"older"])
    (older,) = read(store._link, [(SPACE, "key")])
    store.put(SPACE, "key", [b"newer"])

    def read_in_between(link, places):
        return [(older[0], *newer[1:]) for newer in read(link, places)]

    monkeypatch.setattr("dash_brain.stores.redis.store.read", read_in_between)
    assert bytes(store.get(SPACE, "key")[0]) == b"newer"
    (seen,) = store.look([(SPACE, "key")])
    assert bytes(seen.frames[0]) == b"newer"
    monkeypatch.setattr("dash_brain.stores.redis.store.read", lambda link, places: [older])
    store.delete(SPACE, "key")
    assert bytes(store.get(SPACE, "key")[0]) == b"older"  # as it was when both were read


def test_value_that_is_deleted_between_the_two_commands_of_a_read_is_a_miss(store, monkeypatch):
    store.put(SPACE, "key", [b"x" * 1_000_000])
    (before,) = read(store._link, [(SPACE, "key")])
    monkeypatch.setattr("dash_brain.stores.redis.store.read", lambda link, places: [before])
    store.delete(SPACE, "key")
    with pytest.raises(ValueMissing, match="was deleted"):
        store.get(SPACE, "key")
