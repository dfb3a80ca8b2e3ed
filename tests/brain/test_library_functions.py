"""Functions that call those of a library can be memoized, whichever of its modules these say they are of."""

from __future__ import annotations

import random

import numpy as np
import pytest

from dash_brain import Brain

FUNCTIONS = [np.full, np.ones, np.zeros_like, np.roll, np.mean, np.linspace, np.linalg.norm]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_function_that_names_another_module_of_its_library_counts_by_that(tmp_path, function):
    @Brain(path=tmp_path).memoize()
    def named() -> str:
        return function.__name__

    assert [named(), named()] == [function.__name__] * 2


def test_function_that_draws_a_random_number_by_the_module_is_computed_once(tmp_path):
    @Brain(path=tmp_path).memoize()
    def drawn() -> float:
        return random.uniform(0, 1)

    assert drawn() == drawn()
