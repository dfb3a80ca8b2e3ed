"""``configure(store=cache)``: a store where a cache of Flask-Caching keeps its values."""

from __future__ import annotations

import pickle
from functools import partial

import pytest
from dash import Dash
from flask import Flask
from flask_caching import Cache
from flask_caching.backends.base import BaseCache

from dash_brain import Brain, ServerStore, configure
from dash_brain.adapters.flask_caching_store import FlaskCachingStore
from dash_brain.errors import StoreURLError
from dash_brain.settings import current
from dash_brain.stores import open_store
from dash_brain.testing import (
    BoundedContract,
    LocksContract,
    ScansContract,
    SharedContract,
    StoreContract,
)
from tests.app.conftest import Page


def cache_of(**config):
    return Cache(Flask("cached"), config=config)


def on_files(folder, **config):
    return cache_of(CACHE_TYPE="FileSystemCache", CACHE_DIR=str(folder / "cache"), **config)


def store_on_files(folder):
    return FlaskCachingStore(on_files(folder))


@pytest.fixture(autouse=True)
def _own_settings():
    current.forget()
    yield
    current.forget()


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


@pytest.mark.parametrize("several", [False, True])
def test_simple_cache_is_refused_by_a_server_of_several_processes(several):
    configure(cache_of(CACHE_TYPE="SimpleCache"))
    app = Dash("app")
    app.layout = [ServerStore(id="store", data=[1, 2])]
    app.server.config["PROPAGATE_EXCEPTIONS"] = False
    page = Page(app) if not several else None
    answer = app.server.test_client().get("/_dash-layout", environ_overrides={"wsgi.multiprocess": several})
    assert answer.status_code == (500 if several else 200)
    assert several or "db1." in page.props["store"]["data"]
