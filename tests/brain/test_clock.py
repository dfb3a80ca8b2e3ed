"""What was kept while the clock was ahead counts as fresh no longer than it would have by a right clock."""

from __future__ import annotations

import time

import pytest

from dash_brain.brain import Brain
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.testing import Clock

DAY = 24 * 3600.0


@pytest.fixture
def clock(monkeypatch):
    clock = Clock(1_800_000_000.0)
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture(params=["memory", "files"])
def brain(request, clock, tmp_path):
    return Brain(
        store=MemoryStore(clock=clock) if request.param == "memory" else FileStore(tmp_path, clock=clock)
    )


@pytest.mark.parametrize("stale", [None, 10 * DAY])
def test_result_is_computed_anew_when_the_clock_is_right_again(brain, clock, stale):
    calls = []

    @brain.memoize(ttl=60, stale=stale, key=lambda: "")
    def compute():
        calls.append(clock())
        return len(calls)

    assert compute() == compute() == 1
    clock.advance(-DAY)
    compute()  # where it may be stale, it is given once more, and renewed
    deadline = time.monotonic() + 30
    while compute() == 1:
        assert time.monotonic() < deadline
    assert compute() == 2
    assert len(calls) == 2


def test_result_stays_fresh_when_the_clock_is_set_back_by_less_than_its_time_to_live(brain, clock):
    calls = []
    compute = brain.memoize(ttl=60, key=lambda: "")(lambda: calls.append(1))
    compute()
    clock.advance(-30)
    compute()
    assert len(calls) == 1


def test_value_is_made_anew_when_the_clock_is_right_again(brain, clock):
    assert brain.get_or_learn("name", lambda: 1, ttl=60) == 1
    clock.advance(-DAY)
    assert "name" not in brain
    assert list(brain) == []
    assert brain.get_or_learn("name", lambda: 2, ttl=60) == 2


def test_edited_loader_is_called_though_its_value_is_of_a_time_to_come(brain, clock):
    brain.preload("name", lambda: 1)
    clock.advance(-DAY)
    assert brain.preload("name", lambda: 2) == 2


def test_value_of_a_dump_lives_no_longer_than_it_had_left(brain, clock, tmp_path):
    brain.learn("name", 1, ttl=60)
    brain.dump(tmp_path / "dump")
    clock.advance(-DAY)
    brain.load(tmp_path / "dump")
    assert brain["name"] == 1
    assert brain.metadata("name")["expires"] == pytest.approx(clock() + 60)
