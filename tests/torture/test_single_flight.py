"""64 callers in 8 processes ask for one value at the same moment, again and again, and makers are killed."""

from __future__ import annotations

from functools import partial

import pytest

from dash_brain.brain import Brain
from dash_brain.stores import FileStore
from tests.stores.fallbacks import FallbackStore
from tests.torture.flights import PROCESSES, THREADS, Crew, compute
from tests.torture.sizes import size


def get_or_learn(folder):
    brain = Brain(store=FileStore(folder))
    return lambda journal: brain.get_or_learn(journal, partial(compute, journal))


def memoized(folder):
    return Brain(store=FileStore(folder)).memoize()(compute)


def get_or_learn_without_linux(folder):
    brain = Brain(store=FallbackStore(folder))
    return lambda journal: brain.get_or_learn(journal, partial(compute, journal))


@pytest.mark.parametrize(
    ("flight", "rounds"),
    [
        (get_or_learn, size(30, 10_000)),
        (memoized, size(30, 10_000)),
        (get_or_learn_without_linux, size(30, 1_000)),
    ],
)
def test_value_is_made_once_by_a_maker_that_lives_and_all_who_live_get_it(tmp_path, flight, rounds):
    with Crew(flight, tmp_path) as crew:
        for number in range(rounds):
            # In every tenth round makers die while they make it: one, two or three, one after the other.
            makers_die = 1 + number // 10 % 3 if number % 10 == 9 else 0
            answers, makers = crew.fly(number, makers_die=makers_die)
            assert len(makers) == 1 + makers_die
            assert [answer["made by"] for answer in answers] == makers[-1:] * THREADS * (
                PROCESSES - makers_die
            )


@pytest.mark.parametrize(
    ("flight", "rounds"), [(memoized, size(10, 3_000)), (get_or_learn_without_linux, size(10, 1_000))]
)
def test_whoever_dies_whenever_costs_one_more_making_at_most(tmp_path, flight, rounds):
    with Crew(flight, tmp_path) as crew:
        for number in range(rounds):
            answers, makers = crew.fly(number, somebody_dies=True)
            assert 1 <= len(makers) <= 2
            assert [answer["made by"] for answer in answers] == makers[-1:] * THREADS * (PROCESSES - 1)
