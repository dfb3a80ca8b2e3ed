"""Values whose makers need one another are refused where the cycle closes; nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dash_brain.brain import Brain
from dash_brain.errors import Deadlock
from dash_brain.singleflight import deadlock, meetings
from dash_brain.stores import FileStore
from tests.brain.workers import need_one_another
from tests.processes import FORKSERVER

LIMIT = 20


def errors(turns):
    return [turn.exception(LIMIT) for turn in turns]


def asks(brain, name, wanted, all_make):
    """Return a maker of ``name`` that asks for another name once everybody makes his own."""

    def make():
        all_make.wait(LIMIT)
        return [name, brain.get_or_learn(wanted, lambda: "made by " + name)]

    return lambda: brain.get_or_learn(name, make)


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_threads_that_need_one_another_are_told_so(brain, names):
    all_make = threading.Barrier(len(names))
    pairs = zip(names, names[1:] + names[:1], strict=True)
    with ThreadPoolExecutor(len(names)) as pool:
        raised = errors([pool.submit(asks(brain, *pair, all_make)) for pair in pairs])
    for error in raised:
        assert isinstance(error, RuntimeError)
        assert all(repr(name) in str(error) for name in names)
        assert "at this moment" in str(error)  # seen at once, and not by way of the store
    assert brain.get_or_learn("a", lambda: "made later") == "made later"


def test_coroutines_that_need_one_another_are_told_so(brain):
    async def make(name, wanted, begun, other_begun):
        async def ask():
            begun.set()
            await other_begun.wait()
            return await brain.get_or_learn(wanted, never)

        return await brain.get_or_learn(name, ask)

    async def never():
        pytest.fail("made")

    async def main():
        first, second = asyncio.Event(), asyncio.Event()
        both = make("a", "b", first, second), make("b", "a", second, first)
        return await asyncio.wait_for(asyncio.gather(*both, return_exceptions=True), LIMIT)

    for error in asyncio.run(main()):
        assert isinstance(error, RuntimeError)
        assert "'a'" in str(error)
        assert "'b'" in str(error)


def test_circle_by_way_of_what_is_made_inside_is_seen(brain):
    """One makes "outer" and "inner" in it, which needs "a"; the other makes "a", which needs "outer"."""
    all_make = threading.Barrier(2)
    inner = asks(brain, "inner", "a", all_make)
    with ThreadPoolExecutor(2) as pool:
        turns = [
            pool.submit(brain.get_or_learn, "outer", inner),
            pool.submit(asks(brain, "a", "outer", all_make)),
        ]
        for error in errors(turns):
            assert isinstance(error, RuntimeError)
            assert all(name in str(error) for name in ("'outer'", "'inner'", "'a'"))


def test_functions_that_need_one_another_are_named(brain):
    all_make = threading.Barrier(2)

    @brain.memoize(key=lambda: 0)
    def first():
        all_make.wait(LIMIT)
        return second()

    @brain.memoize(key=lambda: 0)
    def second():
        all_make.wait(LIMIT)
        return first()

    with ThreadPoolExecutor(2) as pool:
        for error in errors([pool.submit(first), pool.submit(second)]):
            assert isinstance(error, RuntimeError)
            assert "first" in str(error)
            assert "second" in str(error)


def test_makers_that_need_the_same_third_are_no_circle(brain):
    all_make = threading.Barrier(3)

    def third():
        all_make.wait(LIMIT)
        return "third"

    with ThreadPoolExecutor(3) as pool:
        turns = [pool.submit(brain.get_or_learn, "third", third)]
        turns += [pool.submit(asks(brain, name, "third", all_make)) for name in "ab"]
        assert [turn.result(LIMIT) for turn in turns] == ["third", ["a", "third"], ["b", "third"]]


def test_asking_for_itself_by_way_of_another_is_noticed(brain):
    def ask_again():
        return brain.get_or_learn("inner", lambda: brain.get_or_learn("outer", ask_again))

    with pytest.raises(RuntimeError, match="'outer' asks for it again"):
        brain.get_or_learn("outer", ask_again)


def test_what_a_maker_left_behind_may_ask_for_its_value(brain):
    """A thread that sees what its maker saw goes on when the value is made, and forgotten."""
    go_on, answers = threading.Event(), []

    def ask_later():
        assert go_on.wait(LIMIT)
        answers.append(brain.get_or_learn("name", lambda: "made later"))

    def make():
        thread = threading.Thread(target=contextvars.copy_context().run, args=(ask_later,))
        thread.start()
        threads.append(thread)
        return "made"

    threads = []
    assert brain.get_or_learn("name", make) == "made"
    brain.forget("name")
    go_on.set()
    threads[0].join(LIMIT)
    assert answers == ["made later"]


def test_circle_that_was_broken_is_none_any_more(brain):
    """Whoever gave up waiting is needed by nobody."""
    first_waits, give_up = asyncio.Event(), asyncio.Event()

    async def impatient():
        waiting = asyncio.create_task(brain.get_or_learn("b", never))
        await asyncio.sleep(0.05)
        first_waits.set()
        await give_up.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0.3)  # until the other waits
        return "a"

    async def patient():
        await first_waits.wait()
        give_up.set()
        await asyncio.sleep(0.05)
        return [await brain.get_or_learn("a", never)]

    async def never():
        pytest.fail("made")

    async def main():
        both = brain.get_or_learn("a", impatient), brain.get_or_learn("b", patient)
        return await asyncio.wait_for(asyncio.gather(*both), LIMIT)

    assert asyncio.run(main()) == ["a", ["a"]]


# -- across processes --------------------------------------------------------------------------------

# Two that open the same store know as little of one another as two processes do.


@pytest.fixture
def openers(tmp_path, monkeypatch):
    monkeypatch.setattr(deadlock, "LONGEST_WAIT", 0.6)
    return [Brain(store=FileStore(tmp_path)) for _ in range(3)]


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_openers_that_need_one_another_end_with_an_error_that_names_the_value(openers, names):
    all_make = threading.Barrier(len(names))
    pairs = list(zip(names, names[1:] + names[:1], strict=True))
    with ThreadPoolExecutor(len(names)) as pool:
        turns = [
            pool.submit(asks(brain, *pair, all_make)) for brain, pair in zip(openers, pairs, strict=False)
        ]
        raised = [error for error in errors(turns) if error is not None]
    assert raised, "one at least gave up"
    for error in raised:
        assert isinstance(error, Deadlock)
        assert any(f"Making {name!r} needs {wanted!r}" in str(error) for name, wanted in pairs)
    assert openers[0].get_or_learn("new", lambda: "made later") == "made later"


def test_coroutines_of_openers_that_need_one_another_are_told_so(openers):
    all_make = threading.Barrier(2)

    async def never():
        pytest.fail("made")

    def ask(brain, name, wanted):
        async def make():
            await asyncio.to_thread(all_make.wait, LIMIT)
            return await brain.get_or_learn(wanted, never)

        return lambda: asyncio.run(brain.get_or_learn(name, make))

    with ThreadPoolExecutor(2) as pool:
        pairs = zip(openers, ("ab", "ba"), strict=False)
        raised = errors([pool.submit(ask(brain, *pair)) for brain, pair in pairs])
    assert Deadlock in map(type, raised)


def test_maker_that_asks_for_its_own_name_by_way_of_another_opener_is_told_so(openers):
    first, second, _ = openers
    with pytest.raises(Deadlock, match="Making 'a' needs 'a'"):
        first.get_or_learn("a", lambda: second.get_or_learn("a", lambda: "made"))


def test_who_makes_nothing_waits_however_long_it_takes(openers):
    first, second, _ = openers
    begun = threading.Event()

    def slowly():
        begun.set()
        time.sleep(1.5)
        return "b"

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(second.get_or_learn, "b", slowly)
        assert begun.wait(LIMIT)
        assert first.get_or_learn("b", slowly) == turn.result(LIMIT) == "b"


def test_who_needs_what_is_made_in_the_same_process_waits_however_long_it_takes(openers):
    brain, begun = openers[0], threading.Event()

    def slowly():
        begun.set()
        time.sleep(1.5)
        return "b"

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(brain.get_or_learn, "b", slowly)
        assert begun.wait(LIMIT)
        assert brain.get_or_learn("a", lambda: ["a", brain.get_or_learn("b", slowly)]) == ["a", "b"]
        assert turn.result(LIMIT) == "b"


def test_what_a_maker_left_behind_may_wait_for_who_makes_its_value_anew(openers):
    """A thread that sees what its maker saw is no part of it any more when the value is made."""
    first, second, _ = openers
    go_on, begun = threading.Event(), threading.Event()

    def ask_later():
        assert go_on.wait(LIMIT)
        return first.get_or_learn("name", lambda: pytest.fail("made"))

    def slowly():
        begun.set()
        time.sleep(1.5)
        return "by another"

    with ThreadPoolExecutor(2) as pool:
        turns = []
        first.get_or_learn(
            "name", lambda: turns.append(pool.submit(contextvars.copy_context().run, ask_later))
        )
        first.forget("name")
        turns.append(pool.submit(second.get_or_learn, "name", slowly))
        assert begun.wait(LIMIT)
        go_on.set()
        assert [turn.result(LIMIT) for turn in turns] == ["by another"] * 2


def test_child_of_a_maker_waits_for_it_however_long_that_takes(openers):
    """What its parent makes is not what the child makes, and needs again."""
    brain, children = openers[0], []

    def make():
        child = os.fork()
        if child == 0:
            code = 2
            try:
                code = int(brain.get_or_learn("name", lambda: "child") != "parent")
            finally:
                os._exit(code)
        children.append(child)
        time.sleep(1.5)
        return "parent"

    assert brain.get_or_learn("name", make) == "parent"
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


def test_nothing_is_being_made_when_it_is_made(brain):
    def fail():
        raise ValueError

    async def make():
        return 1

    async def main():
        await brain.get_or_learn("coroutine", make)
        return meetings.makers()

    assert brain.get_or_learn("name", lambda: len(meetings.makers())) == 1
    assert meetings.makers() == []
    with pytest.raises(ValueError):
        brain.get_or_learn("other", fail)
    assert meetings.makers() == []
    assert asyncio.run(main()) == []


def test_exception_of_a_maker_is_no_matter_to_who_gave_up_waiting(brain):
    """The event loop does not complain of an exception that nobody fetched."""
    go_on, complaints = asyncio.Event(), []

    async def fail():
        await go_on.wait()
        raise ValueError

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        maker, waiter = (asyncio.create_task(brain.get_or_learn("name", fail)) for _ in range(2))
        await asyncio.sleep(0.1)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        go_on.set()
        await asyncio.gather(maker, return_exceptions=True)
        await asyncio.sleep(0.05)
        del maker, waiter
        gc.collect()

    asyncio.run(main())
    assert complaints == []


def test_coroutine_that_is_thrown_away_with_its_loop_is_no_failure_to_who_waits(brain):
    async def make():
        begun.set()
        await asyncio.sleep(LIMIT)

    async def main():
        making = asyncio.create_task(brain.get_or_learn("name", make))
        await begun.wait()
        return making

    begun, loop = asyncio.Event(), asyncio.new_event_loop()
    making = loop.run_until_complete(main())
    flight = meetings.flights._under_way[brain._flight_key("name").meeting]
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(brain.get_or_learn, "name", lambda: "made by the next")
        while not flight.is_awaited:
            time.sleep(0.01)
        loop.close()
        del making
        gc.collect()
        assert turn.result(LIMIT) == "made by the next"


def test_maker_holds_on_to_nothing_that_it_has_got(brain):
    def outer():
        brain.get_or_learn("inner", lambda: "inner")
        [flight] = meetings._making.get()
        return len(flight.needs)

    assert brain.get_or_learn("outer", outer) == 0


def test_time_out_of_the_maker_reaches_those_who_wait(brain):
    """It is the maker's own, and nobody else's."""
    begun, go_on = threading.Event(), threading.Event()

    def fail():
        begun.set()
        assert go_on.wait(LIMIT)
        raise TimeoutError("of the maker")

    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(brain.get_or_learn, "a", fail)]
        assert begun.wait(LIMIT)
        turns.append(pool.submit(brain.get_or_learn, "b", lambda: brain.get_or_learn("a", fail)))
        time.sleep(0.1)
        go_on.set()
        assert [str(error) for error in errors(turns)] == ["of the maker"] * 2


def test_processes_that_need_one_another_are_told_so(tmp_path):
    with FORKSERVER.Manager() as manager, FORKSERVER.Pool(2) as pool:
        all_make = manager.Barrier(2)
        arguments = [(str(tmp_path), *pair, all_make) for pair in ("ab", "ba")]
        raised = pool.starmap_async(need_one_another, arguments, 1).get(60)
    told = [error for error in raised if error is not None]
    assert told, "one at least gave up"
    for kind, text in told:
        assert kind == "Deadlock"
        assert "'a'" in text
        assert "'b'" in text
