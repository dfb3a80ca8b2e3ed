"""Tests of adapters begin without settings that are in use, and leave none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dash_brain.settings import current


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    current.forget()
    yield
    current.forget()
