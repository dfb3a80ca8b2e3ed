"""Those who wait for a value get what its maker got: the value, or the exception."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dash_brain.brain import Brain
from dash_brain.errors import FlightFailed
from dash_brain.stores import FileStore
from tests.brain.workers import fail_once_all_wait


class Unpicklable(Exception):
    def __init__(self, one, two):
        super().__init__("one text for two arguments")


def fails(barrier, error, made):
    def make():
        made.append(1)
        barrier.wait(10)
        time.sleep(0.1)
        raise error

    return make


def test_threads_that_wait_get_the_exception_of_the_maker(brain):
    made, barrier, error = [], threading.Barrier(2), ZeroDivisionError("of the maker")
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(brain.get_or_learn, "name", fails(barrier, error, made))
        while not made:
            time.sleep(0.001)
        others = [pool.submit(brain.get_or_learn, "name", lambda: pytest.fail("made")) for _ in range(5)]
        time.sleep(0.05)
        barrier.wait(10)
        assert [turn.exception() for turn in (first, *others)] == [error] * 6
    assert brain.get_or_learn("name", lambda: "made") == "made"


@pytest.mark.parametrize("error", [ValueError, Unpicklable])
def test_processes_that_wait_get_the_exception_of_the_maker(tmp_path, error):
    expected = FlightFailed if error is Unpicklable else error
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        waiting, made = manager.Semaphore(0), manager.list()
        arguments = [(str(tmp_path), error, waiting, 4, made)] * 4
        with context.Pool(4) as pool:
            raised = pool.starmap(fail_once_all_wait, arguments, 1)
        assert len(made) == 1
    assert sorted(raised) == sorted([error.__name__] + [expected.__name__] * 3)


def test_exception_is_not_kept_for_those_who_come_later(brain):
    def fail():
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):
            Brain(store=brain._store).get_or_learn("name", fail)
    assert Brain(store=brain._store).get_or_learn("name", lambda: "made") == "made"


def test_coroutines_make_it_once_while_the_loop_goes_on(brain):
    made, beats = [], []

    async def make():
        made.append(1)
        await asyncio.sleep(0.2)
        return [1, 2]

    async def beat():
        while True:
            beats.append(1)
            await asyncio.sleep(0.01)

    async def main():
        heart = asyncio.create_task(beat())
        answers = await asyncio.gather(*(brain.get_or_learn("name", make) for _ in range(20)))
        heart.cancel()
        return answers

    assert asyncio.run(main()) == [[1, 2]] * 20
    assert made == [1]
    assert len(beats) > 5


def test_loop_goes_on_while_another_opener_of_the_store_makes_it(tmp_path):
    ours, theirs = Brain(store=FileStore(tmp_path)), Brain(store=FileStore(tmp_path))
    begun, go_on = threading.Event(), threading.Event()

    def make_slowly():
        begun.set()
        assert go_on.wait(10)
        return "theirs"

    async def make():
        return "ours"

    async def main():
        waiting = asyncio.create_task(ours.get_or_learn("name", make))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        go_on.set()
        return await asyncio.wait_for(waiting, 10)

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(theirs.get_or_learn, "name", make_slowly)
        assert begun.wait(10)
        assert asyncio.run(main()) == "theirs" == turn.result()


def test_thread_waits_for_the_coroutine_that_makes_it(brain):
    begun = threading.Event()

    async def make():
        begun.set()
        await asyncio.sleep(0.2)
        return "made by the coroutine"

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(lambda: begun.wait(10) and brain.get_or_learn("name", lambda: "by the thread"))
        assert asyncio.run(brain.get_or_learn("name", make)) == turn.result() == "made by the coroutine"


def test_waiting_in_the_very_loop_that_makes_it_is_refused(brain):
    async def make():
        await asyncio.sleep(0.1)
        return "made"

    async def main():
        making = asyncio.create_task(brain.get_or_learn("name", make))
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="await it"):
            brain.get_or_learn("name", lambda: "made in the loop")
        return await making

    assert asyncio.run(main()) == "made"


def test_next_coroutine_makes_it_when_the_maker_is_cancelled(brain):
    async def never():
        await asyncio.sleep(600)

    async def make():
        return "made by the next"

    async def main():
        first = asyncio.create_task(brain.get_or_learn("name", never))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(brain.get_or_learn("name", make))
        await asyncio.sleep(0.05)
        first.cancel()
        return await asyncio.wait_for(second, 10)

    assert asyncio.run(main()) == "made by the next"


def test_who_gives_up_waiting_takes_nothing_from_the_others(brain):
    async def make():
        await asyncio.sleep(0.2)
        return "made"

    async def main():
        waiters = [asyncio.create_task(brain.get_or_learn("name", make)) for _ in range(3)]
        await asyncio.sleep(0.05)
        waiters[1].cancel()
        return await asyncio.gather(*waiters, return_exceptions=True)

    first, second, third = asyncio.run(main())
    assert (first, third) == ("made", "made")
    assert isinstance(second, asyncio.CancelledError)


def test_coroutine_cancelled_before_its_turn_leaves_the_lock_to_others(tmp_path):
    ours, theirs = Brain(store=FileStore(tmp_path)), Brain(store=FileStore(tmp_path))
    begun, go_on = threading.Event(), threading.Event()

    def fail():
        begun.set()
        go_on.wait(10)
        raise ValueError

    async def make():
        return "made"

    async def main():
        waiting = asyncio.create_task(ours.get_or_learn("name", make))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
        return await asyncio.wait_for(ours.get_or_learn("other", make), 10)

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(theirs.get_or_learn, "name", fail)
        assert begun.wait(10)
        assert asyncio.run(main()) == "made"
        assert isinstance(turn.exception(), ValueError)
    assert theirs.get_or_learn("name", lambda: "made later") == "made later"


def test_child_forked_while_it_is_made_makes_it_when_the_parent_is_done(tmp_path):
    brain = Brain(path=tmp_path)

    def make():
        child = os.fork()
        if child == 0:
            try:
                os._exit(brain.get_or_learn("name", lambda: "child") != "parent")
            finally:
                os._exit(2)
        children.append(child)
        time.sleep(0.2)
        return "parent"

    children = []
    assert brain.get_or_learn("name", make) == "parent"
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
