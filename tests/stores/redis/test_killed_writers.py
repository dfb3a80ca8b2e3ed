"""What a killed process had sent goes at a sweep, once its lock has ended; what is being sent stays."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pytest
import redis

from dash_brain.common.polling import wait_for
from dash_brain.errors import StoreUnavailable
from dash_brain.stores.redis import publish
from dash_brain.stores.redis.names import PREFIX, sending_of
from tests.programs import REPOSITORY
from tests.redis import KEY
from tests.stores.redis.traffic import SPACE

KILLED = """
import os, sys
from dash_brain.stores.redis import RedisStore, publish

sent = publish._set

def send_and_die(*given):
    sent(*given)
    os.kill(os.getpid(), 9)

publish._set = send_and_die
RedisStore(sys.argv[1], key=sys.argv[2]).put("brain/traffic", "key", [b"x" * 30_000_000], ttl=60)
"""


@pytest.fixture
def client(lasting_server):
    with redis.Redis(port=lasting_server.port) as client:
        yield client


@pytest.mark.parametrize("how", ["sweep", "put"])
def test_what_a_killed_writer_sent_goes_at_one_sweep_or_put(store, url, client, how):
    store.put(SPACE, "key", [b"old"])
    writer = subprocess.run([sys.executable, "-c", KILLED, url, KEY], cwd=REPOSITORY, timeout=120)
    assert writer.returncode == -9
    assert len(list(client.scan_iter(PREFIX + b"object:*"))) == publish._AT_ONCE
    (lock,) = client.scan_iter(sending_of("*"))
    assert 0 < client.pttl(lock) <= 60_000
    assert store.sweep() == 0
    assert len(list(client.scan_iter(PREFIX + b"object:*"))) == publish._AT_ONCE  # it might be slow
    client.unlink(lock)  # as after a minute
    if how == "sweep":
        assert store.sweep() == 1
        assert list(client.scan_iter(PREFIX + b"object:*")) == []
    else:
        store.put(SPACE, "other", [b"x" * 5_000_000])
        assert len(list(client.scan_iter(PREFIX + b"object:*"))) == 2
    assert not client.exists(PREFIX + b"coming")
    assert bytes(store.get(SPACE, "key")[0]) == b"old"


def test_writer_that_is_slow_renews_its_lock_and_is_left_alone(store, client, monkeypatch):
    sent = publish._set

    def send_slowly(names, *given):
        sent(names, *given)
        (lock,) = client.scan_iter(sending_of("*"))
        client.pexpire(lock, 1_000_000)
        assert wait_for(lambda: client.pttl(lock) < 500_000 or None, 60)  # it was renewed
        store.sweep()

    monkeypatch.setattr(publish, "_set", send_slowly)
    store.put(SPACE, "key", [b"x" * 9_000_000])
    assert bytes(store.get(SPACE, "key")[0]) == b"x" * 9_000_000
    assert not client.exists(PREFIX + b"coming")
    assert list(client.scan_iter(PREFIX + b"lock:*")) == []


def test_put_that_fails_leaves_nothing(store, client, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(publish, "_set", fail)
    with pytest.raises(ZeroDivisionError):
        store.put(SPACE, "key", [b"x" * 9_000_000])
    store.sweep()
    assert {name for name in client.keys(PREFIX + b"*") if client.type(name) != b"zset"} == {
        PREFIX + b"usage"
    }


@pytest.mark.parametrize("error", [StoreUnavailable("away"), KeyboardInterrupt()])
def test_what_was_published_stays_whatever_happens_then(store, client, monkeypatch, error):
    """The first put into a Redis counts anew after it has published."""

    def fail(*_):
        raise error

    client.flushall()
    monkeypatch.setattr(publish, "recount", fail)
    large = [bytes(9_000_000)]
    with suppress(KeyboardInterrupt):
        store.put(SPACE, "key", large)
    assert bytes(store.get(SPACE, "key")[0]) == large[0]
