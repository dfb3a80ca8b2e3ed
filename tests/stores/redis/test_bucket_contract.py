"""A store whose values lie in a bucket does what every store does."""

from __future__ import annotations

import os
import uuid
from functools import partial

import pytest

from dash_brain.stores import CopyStore, NearCopy
from dash_brain.stores.redis import RedisStore, objects
from dash_brain.testing import BoundedContract, LocksContract, ScansContract, SharedContract, StoreContract
from tests.redis import KEY
from tests.stores.places import remove


@pytest.fixture(autouse=True)
def all_values_in_the_bucket(monkeypatch):
    monkeypatch.setattr(objects, "LARGE", 1)


class BucketContract(StoreContract, ScansContract, LocksContract, BoundedContract):
    """With all values in the bucket."""


def with_all_in_the_bucket(url: str, environment: dict[str, str]) -> RedisStore:
    """Open a store, in a process that may have another threshold and environment."""
    os.environ.update(environment)
    objects.LARGE = 1
    return RedisStore(url, key=KEY)


class TestRedisStoreWithBucket(BucketContract, SharedContract):
    @pytest.fixture
    def store(self, bucket_store):
        return bucket_store

    @pytest.fixture
    def reopen(self, bucket_url, s3):
        return partial(with_all_in_the_bucket, bucket_url, s3.environment)


class TestRedisStoreWithBucketAndNearCopies(BucketContract):
    @pytest.fixture
    def store(self, bucket_store):
        store = NearCopy(bucket_store, CopyStore(f"test-{uuid.uuid4().hex}"))
        yield store
        store.close()
        remove(store._copies.store)
