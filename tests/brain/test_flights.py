"""Those who wait for a value get what its maker got: the value, or the exception."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from dash_brain.brain import Brain
from dash_brain.errors import FlightFailed, StoreFull, StoreUnavailable
from dash_brain.stores import FileStore, MemoryStore
from tests.brain.workers import fail_once_all_wait
from tests.processes import FORKSERVER


class OwnInit(Exception):
    def __init__(self, one, two):
        super().__init__("one text for two arguments")


class Unpicklable(Exception):
    def __init__(self, one, two):
        super().__init__("one text for two arguments")
        self.lock = threading.Lock()


def fails(barrier, error, made):
    def make():
        made.append(1)
        barrier.wait(30)
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
        barrier.wait(30)
        assert [turn.exception() for turn in (first, *others)] == [error] * 6
    assert brain.get_or_learn("name", lambda: "made") == "made"


@pytest.mark.parametrize("error", [ValueError, OwnInit, Unpicklable])
def test_processes_that_wait_get_the_exception_of_the_maker(tmp_path, error):
    expected = FlightFailed if error is Unpicklable else error
    with FORKSERVER.Manager() as manager:
        waiting, made = manager.Semaphore(0), manager.list()
        arguments = [(str(tmp_path), error, waiting, 4, made)] * 4
        with FORKSERVER.Pool(4) as pool:
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
        assert go_on.wait(30)
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
        assert begun.wait(30)
        assert asyncio.run(main()) == "theirs" == turn.result()


def test_thread_waits_for_the_coroutine_that_makes_it(brain):
    begun = threading.Event()

    async def make():
        begun.set()
        await asyncio.sleep(0.2)
        return "made by the coroutine"

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(lambda: begun.wait(30) and brain.get_or_learn("name", lambda: "by the thread"))
        assert asyncio.run(brain.get_or_learn("name", make)) == turn.result() == "made by the coroutine"


def test_waiting_in_the_very_loop_that_makes_it_is_refused(brain):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def make():
        begun.set()
        await go_on.wait()
        return "made"

    async def main():
        making = asyncio.create_task(brain.get_or_learn("name", make))
        await asyncio.wait_for(begun.wait(), 30)
        with pytest.raises(RuntimeError, match="await it"):
            brain.get_or_learn("name", lambda: "made in the loop")
        go_on.set()
        return await making

    assert asyncio.run(main()) == "made"


def test_next_coroutine_makes_it_when_the_maker_is_cancelled(brain):
    begun = asyncio.Event()

    async def never():
        begun.set()
        await asyncio.sleep(600)

    async def make():
        return "made by the next"

    async def main():
        first = asyncio.create_task(brain.get_or_learn("name", never))
        await asyncio.wait_for(begun.wait(), 30)
        second = asyncio.create_task(brain.get_or_learn("name", make))
        await asyncio.sleep(0.05)
        first.cancel()
        return await asyncio.wait_for(second, 10)

    assert asyncio.run(main()) == "made by the next"


def test_who_gives_up_waiting_takes_nothing_from_the_others(brain):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def make():
        begun.set()
        await go_on.wait()
        return "made"

    async def main():
        waiters = [asyncio.create_task(brain.get_or_learn("name", make)) for _ in range(3)]
        await asyncio.wait_for(begun.wait(), 30)
        await asyncio.sleep(0.05)  # so that the others wait, but on a busy machine
        waiters[1].cancel()
        go_on.set()
        return await asyncio.gather(*waiters, return_exceptions=True)

    first, second, third = asyncio.run(main())
    assert (first, third) == ("made", "made")
    assert isinstance(second, asyncio.CancelledError)


def test_coroutine_cancelled_before_its_turn_leaves_the_lock_to_others(tmp_path):
    ours, theirs = Brain(store=FileStore(tmp_path)), Brain(store=FileStore(tmp_path))
    begun, go_on = threading.Event(), threading.Event()

    def fail():
        begun.set()
        go_on.wait(30)
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
        assert begun.wait(30)
        assert asyncio.run(main()) == "made"
        assert isinstance(turn.exception(), ValueError)
    assert theirs.get_or_learn("name", lambda: "made later") == "made later"


def test_coroutine_that_waits_gets_the_exception_of_another_opener_of_the_store(tmp_path):
    ours, theirs = Brain(store=FileStore(tmp_path)), Brain(store=FileStore(tmp_path))
    begun, go_on = threading.Event(), threading.Event()

    def fail():
        begun.set()
        assert go_on.wait(30)
        raise ZeroDivisionError("of the maker")

    async def make():
        return "made later"

    async def main():
        waiting = asyncio.create_task(ours.get_or_learn("name", make))
        await asyncio.sleep(0.5)
        go_on.set()
        with pytest.raises(ZeroDivisionError, match="of the maker"):
            await waiting
        assert await ours.get_or_learn("name", make) == "made later"

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(theirs.get_or_learn, "name", fail)
        assert begun.wait(30)
        asyncio.run(asyncio.wait_for(main(), 20))
        assert isinstance(turn.exception(), ZeroDivisionError)


class Changeling(Exception):
    def __reduce__(self):
        return ValueError, ("another one",)


def test_exception_that_would_arrive_as_another_is_told_of(tmp_path):
    ours, theirs = Brain(store=FileStore(tmp_path)), Brain(store=FileStore(tmp_path))
    begun, go_on = threading.Event(), threading.Event()

    def fail():
        begun.set()
        assert go_on.wait(30)
        raise Changeling

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(theirs.get_or_learn, "name", fail)
        assert begun.wait(30)
        second = pool.submit(ours.get_or_learn, "name", lambda: "made")
        time.sleep(0.5)
        go_on.set()
        assert isinstance(first.exception(10), Changeling)
        with pytest.raises(FlightFailed, match="Changeling"):
            second.result(60)


def test_value_that_is_there_needs_no_lock(brain, monkeypatch):
    async def make():
        pytest.fail("made")

    brain["name"] = "there"
    monkeypatch.setattr(type(brain._store), "lock", lambda *_: pytest.fail("locked"))
    assert brain.get_or_learn("name", lambda: "made") == "there"
    assert asyncio.run(brain.get_or_learn("name", make)) == "there"


def test_names_with_slashes_are_made_each_for_itself(store):
    together = threading.Barrier(2)
    pairs = [(Brain("x", store=store), "y/z"), (Brain("x/y", store=store), "z")]
    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(brain.get_or_learn, name, lambda: together.wait(30)) for brain, name in pairs]
        assert sorted(turn.result(60) for turn in turns) == [0, 1]


def test_exception_of_a_coroutine_is_not_kept_for_those_who_come_later(brain):
    async def fail():
        raise ValueError

    async def make():
        return "made"

    for _ in range(2):
        with pytest.raises(ValueError):
            asyncio.run(brain.get_or_learn("name", fail))
    assert asyncio.run(brain.get_or_learn("name", make)) == "made"


def test_coroutine_that_asks_for_its_own_name_is_told_so(brain):
    async def ask_again():
        return await brain.get_or_learn("name", ask_again)

    with pytest.raises(RuntimeError, match="'name'"):
        asyncio.run(asyncio.wait_for(brain.get_or_learn("name", ask_again), 20))


def test_time_to_live_of_what_a_coroutine_makes_is_kept(brain):
    async def make():
        return 1

    asyncio.run(brain.get_or_learn("name", make, ttl=0))
    assert "name" not in brain


def test_exception_comes_out_though_the_store_has_no_room_for_a_word_of_it(brain, monkeypatch):
    def full(*_, **__):
        raise StoreFull("no room")

    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr(type(brain._store), "put", full)
    with pytest.raises(ZeroDivisionError):
        brain.get_or_learn("name", fail)


def test_word_of_an_exception_is_kept_for_a_minute(store):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Brain(store=store).get_or_learn("name", fail)
    [namespace] = store.namespaces("outcomes")
    [key] = store.scan(namespace)
    info = store.info(namespace, key)
    assert info.expires - info.created == pytest.approx(60, abs=2)


def test_stores_make_what_has_the_same_name_each_for_itself():
    together = threading.Barrier(2)
    brains = [Brain(store=MemoryStore()) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(one.get_or_learn, "name", lambda: together.wait(30)) for one in brains]
        assert sorted(turn.result(60) for turn in turns) == [0, 1]


def test_interrupted_maker_is_followed_by_one_who_waits(brain):
    begun, interrupt = threading.Event(), threading.Event()

    def interrupted():
        begun.set()
        assert interrupt.wait(30)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(brain.get_or_learn, "name", interrupted)
        assert begun.wait(30)
        second = pool.submit(brain.get_or_learn, "name", lambda: "made by the next")
        time.sleep(0.1)
        interrupt.set()
        assert isinstance(first.exception(10), KeyboardInterrupt)
        assert second.result(60) == "made by the next"


def test_lock_that_cannot_be_had_is_told_to_the_coroutine_that_asks(brain, monkeypatch):
    def unavailable(*_):
        raise StoreUnavailable("no locks today")

    monkeypatch.setattr(type(brain._store), "lock", unavailable)

    async def make():
        return 1

    with pytest.raises(StoreUnavailable, match="no locks today"):
        asyncio.run(asyncio.wait_for(brain.get_or_learn("name", make), 10))


def test_lock_that_cannot_be_freed_in_order_takes_the_value_from_nobody(brain, monkeypatch):
    @contextmanager
    def lock(*_):
        yield
        raise StoreUnavailable("too late")

    async def make():
        return 1

    monkeypatch.setattr(type(brain._store), "lock", lock)
    assert asyncio.run(brain.get_or_learn("name", make)) == 1
    for thread in threading.enumerate():
        if thread.name == "dash_brain-lock":
            thread.join(30)  # an exception that nobody catches there fails the test


def test_loop_that_ends_while_a_lock_is_waited_for_leaves_no_trace(tmp_path):
    """The thread that waits finds nobody to tell; it frees the lock, and keeps no process alive."""
    ours, theirs = Brain(store=FileStore(tmp_path)), Brain(store=FileStore(tmp_path))
    begun, go_on = threading.Event(), threading.Event()

    def make_slowly():
        begun.set()
        assert go_on.wait(30)
        return "theirs"

    async def make():
        pytest.fail("made")

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(theirs.get_or_learn, "name", make_slowly)
        assert begun.wait(30)
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(ours.get_or_learn("name", make), 0.2))
        [waiting] = [thread for thread in threading.enumerate() if thread.name == "dash_brain-lock"]
        assert waiting.daemon
        go_on.set()
        assert turn.result(60) == "theirs"
        waiting.join(30)
    theirs.forget("name")
    assert ours.get_or_learn("name", lambda: "ours") == "ours"


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
