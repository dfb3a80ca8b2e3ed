"""Shelves: stores in shared memory that end with the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dash_brain.settings import current
from tests.torture.shelves import Shelf


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.remove()


@pytest.fixture
def own_settings(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> Iterator[None]:
    """Let this process be the app: with the shelf as its store, and the settings of a fresh process."""
    from tests.torture.served import server

    for name, value in shelf.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(server.logger, "disabled", True)  # of each error of a callback, thousands of times
    current.forget()
    yield
    current.forget()
