"""``BrainCache``: what the tests of cachelib and Flask-Caching ask of a cache."""

from __future__ import annotations

import time
import uuid

import numpy as np
import pandas as pd
import pytest
from flask import Flask, request
from flask_caching import Cache

from dash_brain.adapters.flask_caching import BrainCache
from dash_brain.errors import EncodeError, StoreUnavailable
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.testing.common import in_threads
from tests.processes import FORKSERVER
from tests.stores.places import damage, file_of

PAIRS = {
    "128": False,
    "beef": "noodles",
    "soy": "beans",
    "egg": {"milk": [1, 2]},
    "spam": ("eggs", None),
    "ham": b"bytes",
    "empty": "",
    "many": list(range(500)),
}


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path)


@pytest.fixture
def cache(store):
    return BrainCache(store=store)


@pytest.fixture
def app(tmp_path):
    app = Flask("cached")
    app.config.update(
        CACHE_TYPE="dash_brain.adapters.flask_caching.BrainCache",
        CACHE_OPTIONS={"store": f"file://{tmp_path}/{uuid.uuid4().hex}"},
    )
    return app


def test_set_get(cache):
    for key, value in PAIRS.items():
        assert cache.set(key, value)
        assert cache.get(key) == value


def test_set_get_many(cache):
    assert cache.set_many(PAIRS) == list(PAIRS)
    assert cache.get_many(*PAIRS) == list(PAIRS.values())
    assert cache.get_dict(*PAIRS) == PAIRS


def test_missing_key_is_none(cache):
    assert cache.get("none") is None
    assert cache.get_many("none", "neither") == [None, None]
    assert cache.has("none") is False
    assert cache.delete("none") is False


def test_delete(cache):
    for key, value in PAIRS.items():
        cache.set(key, value)
        assert cache.delete(key)
        assert cache.get(key) is None


def test_delete_many(cache):
    cache.set_many(PAIRS)
    assert cache.delete_many(*PAIRS, "never there") == [*PAIRS, "never there"]
    assert cache.get_many(*PAIRS) == [None] * len(PAIRS)


def test_add_keeps_what_is_there(cache):
    cache.set_many(PAIRS)
    for key in PAIRS:
        assert cache.add(key, "updated") is False
    assert cache.get_many(*PAIRS) == list(PAIRS.values())
    assert cache.add("new", 1) is True
    assert cache.get("new") == 1


def test_of_many_that_add_one_does(cache):
    added = []
    in_threads([lambda number: added.append(cache.add("key", number))] * 8)
    assert added.count(True) == 1


@pytest.mark.parametrize("number", [1, 2, 3, 60, -7])
def test_inc_dec(cache, number):
    assert cache.inc("up", number) == number == cache.get("up")
    assert cache.dec("down", number) == -number == cache.get("down")
    assert cache.dec("up", 5) == number - 5
    cache.set("one", 1)
    assert cache.inc("one") == cache.get("one") == 2
    assert cache.dec("one") == cache.get("one") == 1


def test_inc_loses_no_step_between_threads_and_processes(store, tmp_path):
    with FORKSERVER.Pool(2) as pool:
        pool.map(_count, [f"file://{tmp_path}"] * 2)
    assert BrainCache(store=store).get("count") == 2 * 4 * 25


def _count(url):
    cache = BrainCache(store=url)
    in_threads([lambda _: [cache.inc("count") for _ in range(25)]] * 4)


def test_timeout(cache):
    for key, value in PAIRS.items():
        cache.set(f"{key}-t0", value, timeout=0)
        cache.set(f"{key}-t1", value, timeout=1)
        cache.add(f"{key}-a1", value, timeout=1)
    time.sleep(1.1)
    for key, value in PAIRS.items():
        assert cache.get(f"{key}-t0") == value
        assert cache.get(f"{key}-t1") is cache.get(f"{key}-a1") is None


def test_default_timeout_is_that_of_the_cache(store):
    BrainCache(default_timeout=50, store=store).set("key", 1)
    BrainCache(default_timeout=0, store=store).set("for good", 1)
    info = store.info("cache/", "key")
    assert info.expires == pytest.approx(info.created + 50, abs=1)
    assert store.info("cache/", "for good").expires is None


def test_has(cache):
    assert cache.has("foo") is False
    cache.set("foo", None)
    assert cache.has("foo") is True
    cache.delete("foo")
    assert cache.has("foo") is False


def test_clear_leaves_the_caches_with_other_prefixes(store):
    one, other = (BrainCache(key_prefix=prefix, store=store) for prefix in ("one", "other"))
    for cache in (one, other):
        cache.set_many(PAIRS)
    assert one.clear()
    assert not any(map(one.has, PAIRS))
    assert other.get_dict(*PAIRS) == PAIRS


def test_frames_come_back_as_they_were_and_private(cache):
    frame = pd.DataFrame({"day": pd.date_range("2024", periods=9, tz="UTC"), "n": np.arange(9.0)})
    cache.set("frame", frame)
    mine = cache.get("frame")
    mine["n"] = 0.0
    pd.testing.assert_frame_equal(cache.get("frame"), frame)


def test_value_that_cannot_be_stored_is_refused(cache):
    with pytest.raises(EncodeError, match="lambda"):
        cache.set("key", lambda: 1)


def test_value_without_room_is_not_cached_and_the_log_says_so(caplog):
    cache = BrainCache(store=MemoryStore(size=1_000_000))
    assert cache.set("key", b"x" * 2_000_000) is False
    assert "no room" in caplog.text


def test_cached_values_make_room_for_each_other(tmp_path):
    store = MemoryStore(size=1_000_000)
    store.put("brain/default", "name", [b"x" * 300_000])
    cache = BrainCache(default_timeout=0, store=store)
    for number in range(20):
        assert cache.set(str(number), bytes(200_000))
    assert store.exists("brain/default", "name")


def test_value_that_cannot_be_read_is_a_miss_that_the_log_names(cache, store, caplog):
    cache.set("key", "value")
    damage(file_of(store, "cache"))
    assert cache.get("key") is None
    assert "counts as missing" in caplog.text


def test_outage_is_no_miss(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable):
        BrainCache(store=FileStore(tmp_path / "file")).get("key")


def test_cache_of_an_app(app):
    cache = Cache(app)
    assert isinstance(cache.cache, BrainCache)
    cache.set("hi", "hello", timeout=50)
    assert cache.get("hi") == "hello"
    assert cache.add("hi", "foobar") is False
    assert cache.get_dict("hi", "no") == {"hi": "hello", "no": None}
    assert cache.has("hi")
    assert cache.unlink("hi")
    assert cache.get("hi") is None


def test_prefix_and_default_timeout_are_configured(app):
    app.config.update(CACHE_KEY_PREFIX="mine_", CACHE_DEFAULT_TIMEOUT=20)
    cache = Cache(app)
    cache.set("key", 1)
    info = cache.cache.values.store.info("cache/mine_", "key")
    assert info.expires == pytest.approx(info.created + 20, abs=1)


def test_memoize(app):
    cache, calls = Cache(app), []
    with app.test_request_context():

        @cache.memoize(50)
        def add(a, b):
            calls.append((a, b))
            return pd.Series([a, b]).sum()

        assert [add(5, 2), add(5, 2), add(5, 3), add(b=2, a=5)] == [7, 7, 8, 7]
        assert calls == [(5, 2), (5, 3)]
        cache.delete_memoized(add, 5, 2)
        add(5, 2)
        add(5, 3)
        assert calls == [(5, 2), (5, 3), (5, 2)]
        cache.delete_memoized(add)
        add(5, 3)
        assert calls[-1] == (5, 3)
        cache.delete_memoized_verhash(add)


def test_memoized_none(app):
    cache, calls = Cache(app), []
    with app.test_request_context():

        @cache.memoize(50, cache_none=True)
        def nothing():
            calls.append(1)

        assert nothing() is nothing() is None
        assert calls == [1]


def test_cached_view(app):
    cache, calls = Cache(app), []

    @app.route("/")
    @cache.cached(50, query_string=True)
    def view():
        calls.append(request.args.get("n"))
        return f"seen {request.args.get('n')}"

    client = app.test_client()
    answers = [client.get(f"/?n={n}").text for n in (1, 1, 2, 1)]
    assert answers == ["seen 1", "seen 1", "seen 2", "seen 1"]
    assert calls == ["1", "2"]


def test_store_is_that_of_configure_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("DASH_BRAIN_STORE", f"file://{tmp_path}")
    BrainCache().set("key", 1)
    assert FileStore(tmp_path).exists("cache/", "key")
