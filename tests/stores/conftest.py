"""Stores in places of their own, gone after each test."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator

import pytest

from dash_brain.stores import FileStore, SharedMemoryStore
from tests.stores.places import place


@pytest.fixture
def shared_memory() -> Iterator[SharedMemoryStore]:
    """A store in shared memory under a name that nobody else uses."""
    store = SharedMemoryStore(f"test-{uuid.uuid4().hex}")
    yield store
    shutil.rmtree(place(store), ignore_errors=True)


@pytest.fixture
def files(tmp_path) -> FileStore:
    """A store on disk."""
    return FileStore(tmp_path)
