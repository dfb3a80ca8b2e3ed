"""Stores that this process filled, for the command to look into."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from dash_brain import Brain
from dash_brain.stores import Store, open_store
from tests.cli.commands import SESSION


class Trap:
    """A value that makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.folder),)


def fill(store: Store, trap: Path) -> None:
    """Put named values and those of a session, a note, and what must not be unpickled."""
    brain = Brain("shop", store=store)
    brain["prices"] = "gold and silver" * 1000
    brain.learn("orders", [1, 2], "of this year", ttl=3600)
    store.put("brain/feed", "trap", [pickle.dumps(Trap(trap))], meta={"type": "Trap"})
    store.put(f"session/{SESSION}", "fedcba9876543210" * 2, [b"cart"], ttl=900, meta={"type": "list"})
    store.put(f"session-names/{SESSION}", "cart", [b"cart"], ttl=900, meta={"type": "list"})
    store.put("closed/sessions", SESSION, [b""], ttl=900)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A store on disk that was filled; nothing in it was unpickled at the end."""
    found = f"file://{tmp_path / 'store'}"
    fill(open_store(found), tmp_path / "trap")
    yield found
    assert not (tmp_path / "trap").exists()
