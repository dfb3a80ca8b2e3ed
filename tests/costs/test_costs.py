"""A put, a get and callbacks cost no more than the baseline says, in calls and system calls.

Where something has to cost more, or costs less: ``python -m tests.costs`` writes the baseline anew.
"""

from __future__ import annotations

import shutil
from copy import deepcopy

import pytest

from tests.costs.measure import SYSTEM, baseline, excesses, measured
from tests.costs.operations import LIBRARIES, MODULES, OWN
from tests.counting import counts_are_comparable
from tests.needs import needs


@counts_are_comparable
@needs("strace", shutil.which("strace"))
def test_a_put_a_get_and_callbacks_cost_no_more_than_the_baseline_says():
    now = measured()
    assert now.keys() == baseline().keys()
    assert excesses(now, baseline()) == []


@pytest.mark.parametrize("what", [OWN, MODULES, SYSTEM])
@pytest.mark.parametrize("name", baseline())
def test_one_more_call_is_noticed(name, what):
    now = deepcopy(baseline())
    now[name][what] = {**now[name][what], "one": 1} if what == SYSTEM else now[name][what] + 1
    assert len(excesses(now, baseline())) == 1


def test_calls_of_libraries_may_be_a_few_more():
    now = deepcopy(baseline())
    callback = now["a callback that takes a frame"]
    callback[LIBRARIES] += 3
    assert excesses(now, baseline()) == []
    callback[LIBRARIES] *= 2
    assert len(excesses(now, baseline())) == 1
