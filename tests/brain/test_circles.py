"""Values whose makers need one another are refused where the circle closes; nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

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
