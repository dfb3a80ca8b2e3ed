"""What comes back equals what went in, for every value of the table."""

from __future__ import annotations

import pytest

from dash_brain.codec import encode
from tests.codec.sameness import same
from tests.codec.stored import round_trip, stored
from tests.codec.values import VALUES


@pytest.mark.parametrize("name", VALUES)
def test_value_comes_back_the_same(name: str) -> None:
    value = VALUES[name]()
    same(value, round_trip(value))


@pytest.mark.parametrize("name", VALUES)
def test_encoding_leaves_the_value_as_it_was(name: str) -> None:
    value = VALUES[name]()
    before = stored(encode(value))
    assert stored(encode(value)) == before
