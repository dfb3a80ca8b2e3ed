"""Stores in places of their own, gone after each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from dash_brain.stores import FileStore, SharedMemoryStore
from dash_brain.stores.mapped.spill import roots as spill_roots
from tests.stores.places import mounted, remove


@pytest.fixture
def shared_memory() -> Iterator[SharedMemoryStore]:
    """A store in shared memory under a name that nobody else uses."""
    store = SharedMemoryStore(f"test-{uuid.uuid4().hex}")
    yield store
    remove(store)


@pytest.fixture
def files(tmp_path) -> FileStore:
    """A store on disk."""
    return FileStore(tmp_path)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """The only place where anything may be spilled to."""
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(spill_roots, "roots", lambda: [str(tmp_path / "disk")])
    return tmp_path / "disk"


@pytest.fixture
def memory(tmp_path, disk):
    """A small shared memory, which spills to the disk; only root may mount one."""
    with mounted(tmp_path / "small", "size=32m") as folder:
        yield folder
