"""Waiting for a new value."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dash_brain.brain import Brain
from dash_brain.errors import BrainError, BrainNameTypeError, ValueMissing, WaitTimeout
from dash_brain.stores import MemoryStore, StoreWrapper
from tests.brain.workers import learn_times
from tests.processes import FORKSERVER


def test_version_changes_with_each_value(brain):
    first = brain.learn("a", 1)
    assert brain.version("a") == first
    assert brain.learn("a", 1) != first
    with pytest.raises(ValueMissing):
        brain.version("b")


def test_newer_value_that_is_there_is_not_waited_for(brain):
    first, second = brain.learn("a", 1), brain.learn("a", 2)
    assert brain.wait("a", first, timeout=0) == brain.wait("a", None) == second


def test_time_that_is_over_is_an_error_of_its_own(brain):
    version = brain.learn("a", 1)
    begun = time.monotonic()
    with pytest.raises(WaitTimeout, match="'a'"):
        brain.wait("a", version, timeout=0.1)
    assert time.monotonic() - begun >= 0.1
    assert issubclass(WaitTimeout, TimeoutError)
    assert issubclass(WaitTimeout, BrainError)


def test_forgotten_name_is_waited_for_until_it_has_a_value_again(brain):
    version = brain.learn("a", 1)
    brain.forget("a")
    with pytest.raises(WaitTimeout):
        brain.wait("a", version, timeout=0.01)
    newer = brain.learn("a", 1)
    assert brain.wait("a", version, timeout=0) == newer


def test_first_value_can_be_waited_for(brain):
    threading.Timer(0.05, brain.learn, ("a", 1)).start()
    brain.wait("a", None, timeout=10)
    assert brain["a"] == 1


class Noticing(StoreWrapper):
    """Tells whether somebody has looked for a value."""

    def __init__(self, wrapped):
        super().__init__(wrapped)
        self.looked = threading.Event()

    def info(self, namespace, key):
        self.looked.set()
        return super().info(namespace, key)


def test_it_waits_in_the_namespace_that_it_began_in(store):
    store = Noticing(store)
    brain = Brain(store=store)
    version = brain.learn("a", 1)
    store.looked.clear()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(brain.wait, "a", version, timeout=30)
        assert store.looked.wait(30)
        brain.set_namespace("other")
        brain.view("default").learn("a", 2)
        assert waiting.result() == brain.view("default").version("a")


def test_name_that_is_no_string_is_refused(brain):
    with pytest.raises(BrainNameTypeError):
        brain.wait(5, None)


def test_change_of_another_process_is_seen_within_100_ms(tmp_path):
    brain = Brain(path=tmp_path)
    version, delays = brain.learn("time", 0.0), []
    other = FORKSERVER.Process(target=learn_times, args=(str(tmp_path), 5))
    other.start()
    for _ in range(3):  # of five: two may come at once
        version = brain.wait("time", version, timeout=30)
        delays.append(time.time() - brain["time"])
    other.join()
    assert min(delays) < 0.1  # a busy machine is late now and then


def test_waiting_looks_20_times_a_second_once_it_lasts(monkeypatch):
    brain = Brain(store=MemoryStore())
    version, slept = brain.learn("a", 1), []
    now = [0.0]

    here = threading.get_ident()

    def sleep(seconds):
        if threading.get_ident() == here:  # other threads are of stores that other tests opened
            slept.append(seconds)
            now[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with pytest.raises(WaitTimeout):
        brain.wait("a", version, timeout=60)
    assert 0 < slept[1] < 0.001
    assert max(slept) == 0.05
    assert len(slept) < 60 * 20 + 10
    assert now[0] == pytest.approx(60)
