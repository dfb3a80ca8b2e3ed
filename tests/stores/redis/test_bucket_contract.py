"""A store whose values lie in a bucket does what every store does."""

from __future__ import annotations

import uuid

import pytest

from dash_brain.stores import CopyStore, NearCopy
from dash_brain.stores.redis import objects
from dash_brain.testing import BoundedContract, LocksContract, ScansContract, StoreContract
from tests.stores.places import remove


@pytest.fixture(autouse=True)
def all_values_in_the_bucket(monkeypatch):
    monkeypatch.setattr(objects, "LARGE", 1)


class BucketContract(StoreContract, ScansContract, LocksContract, BoundedContract):
    """In one process: others would not have the threshold of these tests."""


class TestRedisStoreWithBucket(BucketContract):
    @pytest.fixture
    def store(self, bucket_store):
        return bucket_store


class TestRedisStoreWithBucketAndNearCopies(BucketContract):
    @pytest.fixture
    def store(self, bucket_store):
        store = NearCopy(bucket_store, CopyStore(f"test-{uuid.uuid4().hex}"))
        yield store
        store.close()
        remove(store._copies.store)
