"""``configure(store=cache)``: a store where a cache of Flask-Caching keeps its values."""

from __future__ import annotations

import pickle
from functools import partial
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from flask import Flask
from flask_caching import Cache
from flask_caching.backends.base import BaseCache

from dash_brain import Brain, configure
from dash_brain.adapters.flask_caching_store import FlaskCachingStore, _place_of
from dash_brain.common import signing
from dash_brain.common.signing import master_from
from dash_brain.errors import EncodeError, StoreURLError
from dash_brain.stores import open_store
from dash_brain.testing import (
    BoundedContract,
    LocksContract,
    ScansContract,
    SharedContract,
    StoreContract,
)
from tests.redis import KEY, redis_server, running
from tests.stores.places import remove


def cache_of(**config):
    return Cache(Flask("cached"), config=config)


def on_files(folder, **config):
    return cache_of(CACHE_TYPE="FileSystemCache", CACHE_DIR=str(folder / "cache"), **config)


def store_on_files(folder):
    return FlaskCachingStore(on_files(folder))


class RealTime:
    @pytest.fixture
    def set_clock_back(self):
        pytest.skip("the clock of the system stays as it is")


class TestOnFileSystemCache(
    RealTime, StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract
):
    @pytest.fixture
    def store(self, tmp_path):
        return store_on_files(tmp_path)

    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(store_on_files, tmp_path)


class TestOnSimpleCache(RealTime, StoreContract, ScansContract, LocksContract, BoundedContract):
    @pytest.fixture
    def store(self):
        return FlaskCachingStore(cache_of(CACHE_TYPE="SimpleCache"))


def test_one_cache_is_one_store(tmp_path):
    cache = on_files(tmp_path)
    assert open_store(cache) is open_store(cache)
    configure(cache)
    configure(cache)
    Brain("x")["key"] = 1
    configure(cache)
    assert Brain("x", store=cache)["key"] == 1


def test_values_lie_beside_those_of_the_cache_which_counts_its_own(tmp_path):
    cache = on_files(tmp_path, CACHE_THRESHOLD=3)
    brain = Brain("x", store=cache)
    brain["key"] = b"kept"
    for number in range(20):
        cache.set(str(number), number)
    assert cache.clear()
    assert brain["key"] == b"kept"
    assert (tmp_path / "cache-dash_brain").is_dir()


def test_brain_on_files_goes_to_another_process(tmp_path):
    brain = Brain("x", store=on_files(tmp_path))
    brain["key"] = 1
    assert pickle.loads(pickle.dumps(brain))["key"] == 1


class OwnCache(BaseCache):
    """Some other cache."""

    @classmethod
    def factory(cls, app, config, args, kwargs):
        return cls()


@pytest.mark.parametrize("kind", ["NullCache", "tests.adapters.test_flask_caching_store.OwnCache"])
def test_cache_where_no_store_can_lie_is_refused_by_configure(kind):
    cache = cache_of(CACHE_TYPE=kind, CACHE_NO_NULL_WARNING=True)
    with pytest.raises(StoreURLError, match=f"{kind.rpartition('.')[2]}.*FileSystemCache"):
        configure(cache)


def test_cache_without_an_app_is_refused_by_configure():
    with pytest.raises(StoreURLError, match="init_app"):
        configure(Cache(config={"CACHE_TYPE": "SimpleCache"}))


def test_cache_that_is_a_brain_cache_gives_its_store(tmp_path):
    url = f"file://{tmp_path}"
    cache = cache_of(CACHE_TYPE="dash_brain.adapters.flask_caching.BrainCache", CACHE_OPTIONS={"store": url})
    Brain("x", store=cache)["key"] = 1
    assert Brain("x", url=url)["key"] == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_simple_cache_is_refused_by_a_server_of_several_processes(serve, workers):
    server = serve("tests.adapters.cached:server", workers=workers)
    if workers == 1:
        with urlopen(f"{server.url}/_dash-layout") as answer:
            assert b"db1." in answer.read()
        return
    with pytest.raises(HTTPError) as raised:
        urlopen(f"{server.url}/_dash-layout")
    raised.value.close()
    assert raised.value.code == 500
    assert "SimpleCache keeps values in the memory of one process" in server.log


def on_redis(url, **config):
    return cache_of(CACHE_TYPE="RedisCache", CACHE_REDIS_URL=url, **config)


def store_on_redis(url):
    signing.configured = lambda: (master_from(KEY),)
    store = FlaskCachingStore(on_redis(url))
    store.wrapped = open_store(f"{store._where}?lease=2")  # the tests wait for locks of those who died
    return store


class TestOnRedisCache(
    RealTime, StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract
):
    @pytest.fixture
    def store(self, redis_url, monkeypatch):
        monkeypatch.setattr(signing, "configured", lambda: (master_from(KEY),))
        store = store_on_redis(redis_url)
        yield store
        store.close()
        remove(store.wrapped._copies.store)

    @pytest.fixture
    def reopen(self, redis_url):
        return partial(store_on_redis, redis_url)

    @pytest.fixture
    def redis_url(self):
        with running(redis_server()) as server:
            yield server.url


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"CACHE_REDIS_URL": "redis://cache:6380/3"}, "redis://cache:6380/3"),
        ({"CACHE_REDIS_URL": "rediss://me:se%40cret@cache"}, "rediss://me:se%40cret@cache:6379/0"),
        ({"CACHE_REDIS_URL": "unix:///run/redis.sock?db=2"}, "unix:///run/redis.sock?db=2"),
        (
            {"CACHE_REDIS_HOST": "cache", "CACHE_REDIS_PASSWORD": "p/w", "CACHE_REDIS_DB": 1},
            "redis://:p%2Fw@cache:6379/1",
        ),
    ],
)
def test_the_server_of_a_redis_cache_is_found(config, url):
    assert _place_of(cache_of(CACHE_TYPE="RedisCache", **config)) == url


def test_cache_that_talks_to_sentinels_is_refused_with_what_to_do():
    cache = cache_of(CACHE_TYPE="RedisSentinelCache", CACHE_REDIS_SENTINELS=[("cache", 26379)])
    with pytest.raises(StoreURLError, match=r"redis\+sentinel://"):
        configure(cache)


def test_password_of_a_cache_is_never_pickled():
    cache = cache_of(CACHE_TYPE="RedisCache", CACHE_REDIS_URL="redis://:hidden@cache")
    with pytest.raises(EncodeError) as raised:
        pickle.dumps(Brain("x", store=cache))
    assert "hidden" not in str(raised.value)
