"""What a small put and a get cost, in calls of dash_brain's own functions and in the modules they pass."""

from __future__ import annotations

import pytest

from dash_brain import Brain
from tests.counting import counts_are_comparable, fewest_calls

pytestmark = counts_are_comparable

VALUE = {"year": 2024, "region": "x" * 900}


@pytest.fixture
def brain(tmp_path):
    brain = Brain(path=tmp_path)
    for _ in range(3):  # the first ones open the store, and find out that the name is replaced
        brain["orders"] = VALUE
        assert brain["orders"] == VALUE
    return brain


def test_replacing_a_small_value_takes_at_most_31_calls_through_11_modules(brain):
    passed = fewest_calls(lambda: brain.__setitem__("orders", VALUE))
    assert len(passed) <= 31, passed
    assert len({module for module, _ in passed}) <= 11, sorted({module for module, _ in passed})


def test_getting_a_small_value_takes_at_most_14_calls_through_8_modules(brain):
    passed = fewest_calls(lambda: brain["orders"])
    assert len(passed) <= 14, passed
    assert len({module for module, _ in passed}) <= 8, sorted({module for module, _ in passed})
