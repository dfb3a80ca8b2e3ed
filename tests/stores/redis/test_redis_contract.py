"""The store in Redis and in Valkey does what every store does."""

from __future__ import annotations

import uuid
from functools import partial

import pytest

from dash_brain.stores import CopyStore, NearCopy
from dash_brain.stores.redis import RedisStore
from dash_brain.testing import BoundedContract, LocksContract, ScansContract, SharedContract, StoreContract
from tests.redis import KEY
from tests.stores.places import remove


class RedisContract(StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
    """Time is that of the server: it passes by itself."""


class TestRedisStore(RedisContract):
    @pytest.fixture
    def store(self, url):
        store = RedisStore(url, key=KEY)
        yield store
        store.close()

    @pytest.fixture
    def reopen(self, url):
        return partial(RedisStore, url, key=KEY)


def near_copies(url: str, name: str) -> NearCopy:
    return NearCopy(RedisStore(url, key=KEY), CopyStore(name))


class TestRedisStoreWithNearCopies(RedisContract):
    @pytest.fixture
    def name(self):
        return f"test-{uuid.uuid4().hex}"

    @pytest.fixture
    def store(self, url, name):
        store = near_copies(url, name)
        yield store
        store.close()
        remove(store._copies.store)

    @pytest.fixture
    def reopen(self, url, name):
        return partial(near_copies, url, name)
