"""Every store passes the one contract."""

from __future__ import annotations

import uuid
from functools import partial

import pytest

from dash_brain.stores import FileStore, MemoryStore, SharedMemoryStore
from dash_brain.stores.mapped.system.platform import NO_ATIME
from dash_brain.testing import (
    BoundedContract,
    Clock,
    LocksContract,
    ScansContract,
    SharedContract,
    StoreContract,
)
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import remove


class OwnClock:
    """Time moves by a fake clock."""

    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def pass_time(self, clock):
        return clock.advance

    @pytest.fixture
    def set_clock_back(self, clock):
        if not NO_ATIME:
            pytest.skip("the kernel notes each read by its own clock")
        return lambda seconds: clock.advance(-seconds)


class LocalContract(OwnClock, StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
    """What the local stores share."""


class TestSharedMemoryStore(LocalContract):
    @pytest.fixture
    def name(self):
        return f"test-{uuid.uuid4().hex}"

    @pytest.fixture
    def store(self, name, clock):
        store = SharedMemoryStore(name, clock=clock)
        yield store
        remove(store)

    @pytest.fixture
    def reopen(self, name):
        return partial(SharedMemoryStore, name)


class TestFileStore(LocalContract):
    @pytest.fixture
    def store(self, tmp_path, clock):
        return FileStore(tmp_path, clock=clock)

    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(FileStore, tmp_path)


class TestFallbackStore(LocalContract):
    @pytest.fixture
    def store(self, tmp_path, clock):
        return FallbackStore(tmp_path, clock=clock)

    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(FallbackStore, tmp_path)


class TestMemoryStore(OwnClock, StoreContract, ScansContract, LocksContract, BoundedContract):
    @pytest.fixture
    def store(self, clock):
        return MemoryStore(clock=clock)


class TestRealTime(LocalContract):
    """The same with the clock of the system."""

    @pytest.fixture
    def store(self, tmp_path):
        return FileStore(tmp_path)

    @pytest.fixture
    def pass_time(self):
        from time import sleep

        return sleep

    @pytest.fixture
    def set_clock_back(self):
        pytest.skip("the clock of the system stays as it is")

    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(FileStore, tmp_path)
