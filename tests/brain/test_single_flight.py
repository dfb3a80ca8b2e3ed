"""A value is made once, however many ask for it."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dash_brain.brain import Brain
from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore, MemoryStore
from tests.brain.workers import learn_once_in_threads, make_for_ever
from tests.processes import FORKSERVER
from tests.stores.fallbacks import FallbackStore


@pytest.fixture(params=["memory", "files", "fallback"])
def brain(request, tmp_path):
    stores = {
        "memory": MemoryStore,
        "files": lambda: FileStore(tmp_path),
        "fallback": lambda: FallbackStore(tmp_path),
    }
    return Brain(store=stores[request.param]())


def test_8_processes_with_4_threads_each_make_it_once(tmp_path):
    (tmp_path / "made").mkdir()
    arguments = [(str(tmp_path), "name", str(tmp_path / "made"))] * 8
    with FORKSERVER.Pool(8) as pool:
        answers = [
            answer for worker in pool.starmap(learn_once_in_threads, arguments, 1) for answer in worker
        ]
    assert len(list((tmp_path / "made").iterdir())) == 1
    assert len(answers) == 32
    assert answers == answers[:1] * 32


def test_killed_maker_is_followed_by_the_next(tmp_path):
    begun = FORKSERVER.Event()
    maker = FORKSERVER.Process(target=make_for_ever, args=(str(tmp_path), "name", begun))
    maker.start()
    assert begun.wait(30)
    answers = []
    waiter = threading.Thread(
        target=lambda: answers.append(Brain(path=tmp_path).get_or_learn("name", lambda: "made by the next"))
    )
    waiter.start()
    time.sleep(0.2)
    assert not answers
    maker.kill()
    waiter.join(30)
    assert answers == ["made by the next"]
    maker.join()


def test_threads_make_it_once(brain):
    made = []

    def make():
        made.append(1)
        time.sleep(0.1)
        return [1, 2]

    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(brain.get_or_learn, "name", make) for _ in range(8)]
        answers = [turn.result() for turn in turns]
    assert made == [1]
    assert answers == [[1, 2]] * 8
    assert len({id(answer) for answer in answers}) == 8


def test_value_that_is_there_is_not_made(brain):
    brain["name"] = None
    assert brain.get_or_learn("name", lambda: pytest.fail("made")) is None


def test_exception_of_the_maker_comes_out_and_nothing_is_kept(brain):
    error = ValueMissing("of the maker")

    def fail():
        raise error

    with pytest.raises(ValueMissing) as caught:
        brain.get_or_learn("name", fail)
    assert caught.value is error
    assert "name" not in brain
    assert brain.get_or_learn("name", lambda: "made") == "made"


def test_maker_may_ask_for_other_names(brain):
    def outer():
        return brain.get_or_learn("inner", lambda: 1) + 1

    assert brain.get_or_learn("outer", outer) == 2
    assert dict(brain) == {"inner": 1, "outer": 2}


def test_maker_that_asks_for_its_own_name_is_told_so(brain):
    def ask_again():
        return brain.get_or_learn("name", ask_again)

    with pytest.raises(RuntimeError, match="'name'"):
        brain.get_or_learn("name", ask_again)
    assert brain.get_or_learn("name", lambda: "made") == "made"


def test_runtime_error_of_the_maker_is_left_alone(brain):
    error = RuntimeError("of the maker")

    def fail():
        raise error

    with pytest.raises(RuntimeError) as caught:
        brain.get_or_learn("name", fail)
    assert caught.value is error


def test_same_name_of_two_namespaces_is_made_for_each(brain):
    def outer():
        return brain.view("other").get_or_learn("name", lambda: "other")

    assert brain.get_or_learn("name", outer) == "other"


def test_time_to_live_is_kept(brain):
    brain.get_or_learn("name", lambda: 1, ttl=0)
    assert "name" not in brain


def test_nothing_of_it_is_left_in_the_store(tmp_path):
    from tests.stores.places import everything, place

    brain = Brain(path=tmp_path)
    brain.get_or_learn("name", lambda: 1)
    brain.clear()
    assert everything(FileStore(tmp_path)) == {"key", "ledger", "locks", "remembered", "brain"}
    assert os.stat(place(FileStore(tmp_path)) / "locks").st_size == 0


def test_failure_that_carries_much_is_told_in_few_bytes(tmp_path):
    brain = Brain(path=tmp_path)

    def fail():
        raise KeyError("x" * 1_000_000)

    with pytest.raises(KeyError):
        brain.get_or_learn("name", fail)
    assert FileStore(tmp_path).usage() < 50_000
