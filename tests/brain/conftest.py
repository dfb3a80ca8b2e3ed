"""Brains in the stores that there are."""

from __future__ import annotations

import pytest

from dash_brain.brain import Brain
from dash_brain.stores import FileStore, MemoryStore


@pytest.fixture(params=["memory", "files"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path)


@pytest.fixture
def brain(store):
    return Brain(store=store)
