"""What an app needs is there before it serves anybody: made once per host, whatever happens to its makers."""

from __future__ import annotations

import multiprocessing
import os

import numpy as np
import pytest

from dash_brain.brain import Brain
from tests.brain.workers import preload_at_once, preload_for_ever, preload_with_waste

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def started():
    """Start processes that do not outlive the test."""
    running = []

    def start(target, *arguments):
        running.append(SPAWN.Process(target=target, args=arguments, daemon=True))
        running[-1].start()
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.join()


def test_8_processes_that_start_at_once_make_it_once(tmp_path, started):
    barrier, brain = SPAWN.Barrier(8), Brain(path=tmp_path)
    workers = [started(preload_at_once, str(tmp_path), barrier) for _ in range(8)]
    for worker in workers:
        worker.join(60)
    (maker,) = brain["made by"]
    assert [brain[f"seen by {worker.pid}"] for worker in workers] == [maker] * 8


def test_killed_maker_is_followed_by_the_next_worker(tmp_path, started):
    brain = Brain(path=tmp_path)
    workers = {worker.pid: worker for worker in [started(preload_for_ever, str(tmp_path)) for _ in range(3)]}
    begun = brain.wait("begun by", None, timeout=60)
    first = workers.pop(brain["begun by"])
    first.kill()
    brain.wait("begun by", begun, timeout=60)
    assert brain["begun by"] in workers
    brain["go on"] = True
    for worker in workers.values():
        worker.join(60)
    assert {brain[f"seen by {pid}"] for pid in workers} == {brain["begun by"]}


def test_value_that_is_there_is_used(brain):
    brain["name"] = None
    assert brain.preload("name", lambda: pytest.fail("made")) is None


def test_forgotten_value_is_made_anew(brain):
    brain.preload("name", lambda: 1)
    brain.forget("name")
    assert brain.preload("name", lambda: 2) == brain["name"] == 2


def test_maker_that_fails_leaves_nothing_in_the_way(brain):
    def fail():
        raise OSError("no such table")

    with pytest.raises(OSError, match="no such table"):
        brain.preload("name", fail)
    assert brain.preload("name", lambda: "made") == brain["name"] == "made"


def test_maker_too_gets_the_value_that_all_share(tmp_path):
    made = np.zeros(1_000_000)
    given = Brain(path=tmp_path).preload("name", lambda: made)
    assert not np.shares_memory(given, made)
    place = given.__array_interface__["data"][0]
    assert any(start <= place < end and str(tmp_path) in file for start, end, file in mappings())


def test_maker_gives_back_what_making_took(tmp_path, started):
    started(preload_with_waste, str(tmp_path)).join(60)
    assert Brain(path=tmp_path)["grown"] < 16e6


def mappings():
    """Return where each mapping of this process begins and ends, and its file."""
    with open(f"/proc/{os.getpid()}/maps") as lines:
        for line in lines:
            span, *_, file = line.split(maxsplit=5)
            start, end = (int(number, 16) for number in span.split("-"))
            yield start, end, file


def test_value_that_expires_at_once_is_returned_all_the_same(brain):
    assert brain.preload("name", lambda: "made", ttl=0) == "made"
    assert "name" not in brain


def test_each_namespace_has_its_own(brain):
    brain.preload("name", lambda: 1)
    assert brain.view("other").preload("name", lambda: 2) == 2
    assert brain["name"] == 1
