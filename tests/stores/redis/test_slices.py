"""Redis serves nobody else while a script runs: where there are many objects, none looks at all of them."""

from __future__ import annotations

from contextlib import closing, contextmanager

import pytest
import redis

from dash_brain.errors import StoreFull
from dash_brain.stores.namespaces import NOTE, Domain
from dash_brain.stores.redis import RedisStore
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import PREFIX
from tests.redis import KEY, redis_server, running

SPACE = "brain/many"
NUMBER = 1500
#: Commands that one script may give to Redis; each takes about a microsecond.
MOST = 4500


@pytest.fixture(scope="module")
def server():
    with running(redis_server()) as server:
        yield server


@pytest.fixture
def client(server):
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(server, client):
    with closing(RedisStore(server.url, key=KEY)) as store:
        yield store


@pytest.fixture
def filled(store):
    for number in range(NUMBER):
        store.put(SPACE, f"key {number}", [b"x"])
    return store


@pytest.fixture
def short_scripts(client, monkeypatch):
    """Raise unless each script of the block gives no more commands to Redis."""
    run, seen = Link.run, []

    def counted(link, verb, *arguments, again=True):
        client.config_resetstat()
        answer = run(link, verb, *arguments, again=again)
        seen.append(sum(said["calls"] for said in client.info("commandstats").values()))
        return answer

    @contextmanager
    def watched(most=MOST):
        with monkeypatch.context() as patched:
            patched.setattr(Link, "run", counted)
            yield
        assert max(seen) <= most

    return watched


@pytest.mark.parametrize("heal", ["put", "sweep"])
def test_many_objects_are_counted_anew_in_short_scripts(filled, client, short_scripts, heal):
    used = filled.usage()
    client.unlink(PREFIX + b"usage", PREFIX + b"recounting")
    with short_scripts():
        if heal == "put":
            filled.put(SPACE, "key 0", [b"x"])
        else:
            filled.sweep()
    assert filled.usage() == used


def test_put_for_which_many_objects_leave_no_room_is_refused_by_short_scripts(filled, short_scripts):
    filled.resize(filled.usage() + 1000)
    with short_scripts(), pytest.raises(StoreFull):
        filled.put(SPACE, "large", [bytes(2000)])


def test_many_objects_are_dropped_in_short_scripts(filled, client, short_scripts):
    with short_scripts():
        filled.drop(SPACE)
    assert filled.usage() == 0
    assert not list(filled.scan(SPACE))
    assert not list(client.scan_iter(PREFIX + b"value:*"))


def test_many_namespaces_are_listed_in_short_scripts(store, short_scripts):
    spaces = [f"session/{number}" for number in range(NUMBER)]
    for space in spaces:
        store.put(space, "key", [b"x"])
    with short_scripts(NUMBER // 2):
        found = list(store.namespaces("session"))
    assert sorted(found) == sorted(spaces)


def test_order_of_many_notes_is_made_anew_in_short_scripts(filled, client, short_scripts, monkeypatch):
    bounded = Domain(NOTE, most=NUMBER)
    monkeypatch.setattr("dash_brain.stores.redis.publish.domain_of", lambda _: bounded)
    for number in range(3):
        with short_scripts(NUMBER):
            filled.put(SPACE, f"new {number}", [b"x"])
        assert len(list(filled.scan(SPACE))) == NUMBER


def test_objects_that_come_and_go_while_all_are_counted_are_counted_once(filled, client, monkeypatch):
    """Others put, replace and remove between two slices."""
    client.unlink(PREFIX + b"usage", PREFIX + b"recounting")
    run, number = Link.run, iter(range(NUMBER))

    def with_others(link, verb, *arguments, again=True):
        if verb == "records":
            monkeypatch.setattr(Link, "run", run)
            one = next(number)
            filled.put(SPACE, f"new {one}", [bytes(100)])
            filled.put(SPACE, f"key {one}", [bytes(1000)])
            filled.delete(SPACE, f"key {NUMBER - one - 1}")
            monkeypatch.setattr(Link, "run", with_others)
        return run(link, verb, *arguments, again=again)

    monkeypatch.setattr(Link, "run", with_others)
    filled.sweep()
    assert next(number) > 1
    assert filled.usage() == sum(filled.info(SPACE, key).nbytes for key in filled.scan(SPACE))
