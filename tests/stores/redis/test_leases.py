"""A lock in Redis is a lease: it is kept while its holder works, and lost when that stands still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis

from dash_brain import Brain
from dash_brain.errors import LeaseLost, WaitTimeout
from dash_brain.singleflight import fly
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.stores.base import needs_lock
from dash_brain.stores.locked import making_under
from dash_brain.stores.redis import RedisStore
from tests.programs import REPOSITORY
from tests.redis import KEY
from tests.stores.redis.leader import memoized
from tests.stores.redis.traffic import SPACE

SHORT = 0.8


@pytest.fixture
def url(server):
    return f"{server.url}?lease={SHORT}"


@pytest.fixture
def store(url):
    store = RedisStore(url, key=KEY)
    yield store
    store.close()


def lose_all_locks(server) -> None:
    with redis.Redis(port=server.port) as client:
        client.delete(*client.keys("dash_brain:1:lock:*"))


def wait_until(there: Path) -> None:
    end = time.monotonic() + 60
    while not there.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_leader_that_was_stopped_past_its_lease_publishes_nothing_over_the_newer_result(url, tmp_path):
    command = [sys.executable, "-m", "tests.stores.redis.leader", url, str(tmp_path)]
    leader = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        wait_until(tmp_path / f"{leader.pid} began")
        time.sleep(2 * SHORT)  # it renews its lease
        leader.send_signal(signal.SIGSTOP)
        (tmp_path / f"{os.getpid()} may end").touch()
        assert memoized(url)(str(tmp_path)) == os.getpid()  # when the lease is over
        (tmp_path / f"{leader.pid} may end").touch()
        leader.send_signal(signal.SIGCONT)
        assert leader.communicate(timeout=60)[0].split() == [str(leader.pid)]
        assert memoized(url)(str(tmp_path)) == os.getpid()
    finally:
        leader.kill()
        leader.wait()


def test_lease_is_renewed_for_as_long_as_its_holder_works(store, url):
    inside = []

    def enter():
        with needs_lock(RedisStore(url, key=KEY)).lock("key"):
            inside.append(1)

    with needs_lock(store).lock("key"):
        other = threading.Thread(target=enter)
        other.start()
        time.sleep(3 * SHORT)
        assert not inside
    other.join(30)
    assert inside


@pytest.mark.parametrize("size", [10, 9_000_000])
def test_what_was_made_under_a_lost_lock_is_not_stored(server, store, size):
    store.put(SPACE, "key", [b"newer"])
    with needs_lock(store).lock("flight"), making_under("flight"):
        store.put(SPACE, "other", [b"x" * size])  # the lock is held
        lose_all_locks(server)
        with pytest.raises(LeaseLost, match="'key'"):
            store.put(SPACE, "key", [b"x" * size])
    assert bytes(store.get(SPACE, "key")[0]) == b"newer"
    store.put(SPACE, "key", [b"newest"])  # what is made under no lock


def test_maker_that_lost_its_lock_returns_what_others_made(server, store, url):
    brain, others = Brain("flights", store=store), Brain("flights", store=RedisStore(url, key=KEY))

    def make():
        lose_all_locks(server)
        others["name"] = "newer"
        return "older"

    assert brain.get_or_learn("name", make) == "newer"
    assert brain["name"] == "newer"


def test_maker_that_lost_its_lock_says_so_when_others_made_nothing(server, store):
    key = FlightKey(store, "flight", "the value")

    def look():
        return store.get(SPACE, "flown")

    def make():
        lose_all_locks(server)
        store.put(SPACE, "flown", [b"x"])

    with pytest.raises(LeaseLost):
        fly(key, look, make)
    assert not store.exists(SPACE, "flown")


def test_release_wakes_who_waits(store, url):
    """Waiters are told, and do not only look from time to time."""
    other, order = RedisStore(f"{url}0", key=KEY), []  # its leases are long, and so are its pauses

    def enter(number):
        with needs_lock(RedisStore(url, key=KEY)).lock("key"):
            order.append(number)

    with needs_lock(other).lock("key"):
        waiting = [threading.Thread(target=enter, args=(number,)) for number in range(3)]
        for thread in waiting:
            thread.start()
        time.sleep(0.3)
    for thread in waiting:
        thread.join(30)
    assert sorted(order) == [0, 1, 2]


def test_wait_is_told_of_a_change_at_once(server, store, url):
    """It listens, and looks by itself as well."""
    brain, others = Brain("watched", store=store), Brain("watched", store=RedisStore(url, key=KEY))
    seen, version = [], brain.learn("name", 0)

    def wait():
        seen.append(brain.wait("name", version, timeout=60))

    waiting = threading.Thread(target=wait)
    waiting.start()
    end = time.monotonic() + 30
    with redis.Redis(port=server.port) as client:
        while not client.pubsub_channels("dash_brain:1:changes:*"):
            assert time.monotonic() < end, "it does not listen"
            time.sleep(0.01)
    newer = others.learn("name", 1)
    waiting.join(30)
    assert seen == [newer]
    with pytest.raises(WaitTimeout):
        brain.wait("name", newer, timeout=0.3)
