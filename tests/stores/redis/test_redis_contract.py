"""The store in Redis and in Valkey does what every store does."""

from __future__ import annotations

from functools import partial

import pytest

from dash_brain.stores.redis import RedisStore
from dash_brain.testing import BoundedContract, LocksContract, ScansContract, SharedContract, StoreContract
from tests.redis import KEY


class TestRedisStore(StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
    """Time is that of the server: it passes by itself."""

    @pytest.fixture
    def store(self, url):
        store = RedisStore(url, key=KEY)
        yield store
        store.close()

    @pytest.fixture
    def reopen(self, url):
        return partial(RedisStore, url, key=KEY)
