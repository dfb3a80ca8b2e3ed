"""Near copies of what lies in a real Redis, which may go away."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest
import redis

from dash_brain.common.polling import wait_for
from dash_brain.errors import DecodeError, StoreUnavailable, StoreURLError, ValueMissing
from dash_brain.stores import CopyStore, NearCopy, open_store
from dash_brain.stores.near_copy import SMALL, open_far
from dash_brain.stores.redis import RedisStore
from dash_brain.stores.redis.names import value_of
from dash_brain.testing import plain
from tests.redis import KEY, RoundTrips, redis_server, running
from tests.stores.places import near_of, remove

LARGE = b"x" * (2 * SMALL)
SPACE = "brain/near"


@pytest.fixture
def server():
    with running(redis_server()) as server:
        yield server


@pytest.fixture
def opened(server, monkeypatch):
    """Open the store with these options."""
    made = []

    def open_with(options=""):
        made.append(open_far(f"{server.url}?timeout=2{options}", lambda url: RedisStore(url, key=KEY)))
        return made[-1]

    yield open_with
    for one in made:
        one.close()
        remove(near_of(one))


def test_second_read_is_one_round_trip_without_the_value(server, opened):
    store = opened()
    RedisStore(server.url, key=KEY).put(SPACE, "key", [LARGE * 30])
    assert plain(store.get(SPACE, "key")) == [LARGE * 30]
    with closing(RoundTrips(server)) as round_trips:
        assert plain(store.get(SPACE, "key")) == [LARGE * 30]
        assert round_trips.count() == 1


def test_forged_value_costs_its_own_reader_and_not_the_request_that_asks_for_others_too(server, opened):
    store, far = opened(), RedisStore(server.url, key=KEY)
    places = [(SPACE, key) for key in ("forged", "small", "large", "missing")]
    for place, frame in zip(places, (b"x", b"small", LARGE), strict=False):
        far.put(*place, [frame])
    with redis.Redis(port=server.port) as client:
        client.hset(value_of(*places[0]), "b", b"y")
    store.look_ahead(places)
    assert plain(store.get(SPACE, "small")) == [b"small"]
    assert plain(store.get(SPACE, "large")) == [LARGE]
    assert not store.exists(SPACE, "missing")
    with pytest.raises(DecodeError):
        store.get(SPACE, "forged")


def test_outage_is_raised_by_default(server, opened):
    store = opened()
    store.put(SPACE, "key", [LARGE])
    server.kill()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.get(SPACE, "key")
    with pytest.raises(StoreUnavailable):
        store.exists("closed/sessions", "me")


def test_copies_are_read_while_the_store_is_down_and_the_log_says_so_once(server, opened, caplog):
    caplog.set_level(logging.INFO)
    store = opened("&when_down=near")
    for key in ("key", "deleted", "dropped"):
        store.put(SPACE if key != "dropped" else "session/me", key, [LARGE])
    store.put(SPACE, "small", [b"small"])
    for key in ("replaced", "replaced elsewhere"):
        store.put(SPACE, key, [LARGE])
    store.put(SPACE, "replaced", [b"newer"])
    RedisStore(server.url, key=KEY).put(SPACE, "replaced elsewhere", [b"newer"])
    assert plain(store.get(SPACE, "replaced elsewhere")) == [b"newer"]
    store.delete(SPACE, "deleted")
    store.drop("session/me")
    store.put("closed/sessions", "me", [b""], ttl=60)
    server.kill()
    for _ in range(3):
        assert plain(store.get(SPACE, "key")) == [LARGE]
    gone = [(SPACE, key) for key in ("deleted", "small", "replaced", "replaced elsewhere")]
    for place in [*gone, ("session/me", "dropped")]:
        with pytest.raises(StoreUnavailable):
            store.get(*place)
    assert store.exists("closed/sessions", "me")
    assert not store.exists("closed/sessions", "somebody else")
    assert store.exists(SPACE, "key")
    with pytest.raises(StoreUnavailable):
        store.exists(SPACE, "small")
    for change in (
        store.delete,
        lambda *place: store.touch(*place, 5),
        lambda *place: store.put(*place, [b"x"]),
    ):
        with pytest.raises(StoreUnavailable):
            change(SPACE, "key")
    assert caplog.text.count("when_down=near") == 1
    server.start()
    assert wait_for(lambda: missing(store, "key"), 20)  # it was lost there
    assert "can be reached again" in caplog.text
    server.kill()
    with pytest.raises(StoreUnavailable):
        store.get(SPACE, "key")
    assert caplog.text.count("when_down=near") == 2


def missing(store, key):
    """Say True when the store says that there is no value, None when it still has one, or says nothing."""
    try:
        store.get(SPACE, key)
    except ValueMissing:
        return True
    return None


def test_store_that_is_down_from_the_start_is_used_all_the_same_where_copies_are_read(server, opened):
    opened().put(SPACE, "key", [LARGE])
    server.kill()
    with pytest.raises(StoreUnavailable):
        opened().check()
    store = opened("&when_down=near")
    store.check()
    assert plain(store.get(SPACE, "key")) == [LARGE]


def test_store_without_a_key_is_refused_from_the_start(server, monkeypatch):
    monkeypatch.delenv("DASH_BRAIN_KEY", raising=False)
    store = open_far(f"{server.url}?when_down=near", RedisStore)
    with pytest.raises(StoreUnavailable, match="no key"):
        store.check()


def test_near_copies_belong_to_a_place_and_not_to_who_logs_in(server):
    def name(url):
        return near_of(open_store(url)).name

    assert name("redis://cache:6379/0") == name("redis://me:secret@cache:6379/0?near=512MB&timeout=3")
    others = {"redis://cache:6379/0", "redis://cache:6379/1", "redis://cache:6380/0", "redis://other:6379/0"}
    assert len(set(map(name, others))) == len(others)
    assert "secret" not in name("redis://me:secret@cache:6379/0")


def test_near_copies_can_be_turned_off_and_bounded():
    assert isinstance(open_store("redis://cache?near=off"), RedisStore)
    store = open_store("redis://bounded?near=8MB")
    assert isinstance(store, NearCopy)
    assert isinstance(near_of(store), CopyStore)
    assert near_of(store).budget() == 8_000_000
    remove(near_of(store))


@pytest.mark.parametrize("option", ["near=large", "when_down=wait", "near=off&when_down=near", "nearby=1"])
def test_option_that_is_none_is_refused(option):
    with pytest.raises(StoreURLError, match=r"^redis:…"):
        open_store(f"redis://:secret@cache?{option}")


def test_copies_never_go_to_the_disk(server, tmp_path):
    assert not near_of(open_store("redis://bounded?near=8MB")).spills
    remove(near_of(open_store("redis://bounded?near=8MB")))
