"""Shelves: stores in shared memory that end with the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.torture.shelves import Shelf


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.remove()
