"""A store whose values lie in a bucket does what every store does."""

from __future__ import annotations

import os
from functools import partial

import pytest

from dash_brain.stores.redis import RedisStore, objects
from dash_brain.testing import BoundedContract, LocksContract, ScansContract, SharedContract, StoreContract
from tests.redis import KEY


@pytest.fixture(autouse=True)
def all_values_in_the_bucket(monkeypatch):
    monkeypatch.setattr(objects, "LARGE", 1)


def with_all_in_the_bucket(url: str, environment: dict[str, str]) -> RedisStore:
    """Open a store, in a process that may have another threshold and environment."""
    os.environ.update(environment)
    objects.LARGE = 1
    return RedisStore(url, key=KEY)


class TestRedisStoreWithBucket(StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
    @pytest.fixture
    def store(self, bucket_store):
        return bucket_store

    @pytest.fixture
    def reopen(self, bucket_url, s3):
        return partial(with_all_in_the_bucket, bucket_url, s3.environment)
