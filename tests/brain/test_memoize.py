"""Results are kept by function and arguments, and computed once."""

from __future__ import annotations

import asyncio
import inspect
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from dash_brain.brain import Brain
from dash_brain.errors import BrainLearnNameError, Deadlock, EncodeError, StoreFull
from dash_brain.memo.revalidation import renewals
from dash_brain.singleflight import deadlock
from tests.brain.workers import call_slow_square
from tests.processes import FORKSERVER

# Functions see these as variables of their module. Over local ones they would close, and a list that grows
# makes them other functions.
CALLS = []
RENEWALS = []  # the last renewal of a test may outlive it
GO_ON = threading.Event()


@pytest.fixture(autouse=True)
def calls():
    CALLS.clear()
    GO_ON.clear()
    return CALLS


def test_same_arguments_give_the_same_result_computed_once(brain, calls):
    @brain.memoize()
    def total(values, *, start=0):
        CALLS.append(values)
        return sum(values, start)

    assert [total([1, 2]), total([1, 2]), total(values=[1, 2], start=0)] == [3, 3, 3]
    assert total([1, 2], start=1) == 4
    assert calls == [[1, 2], [1, 2]]
    assert (total.info().hits, total.info().misses, total.info().size) == (2, 2, 2)
    assert total.info().nbytes > 0


def test_none_is_a_result_like_any_other(brain, calls):
    nothing = brain.memoize()(lambda: CALLS.append(1))
    assert (nothing(), nothing()) == (None, None)
    assert calls == [1]


def test_every_caller_gets_a_result_of_its_own(brain):
    @brain.memoize()
    def numbers():
        return {"array": np.zeros(1000)}

    for _ in range(3):
        mine = numbers()
        assert mine["array"].sum() == 0
        mine["array"] += 1


def test_frames_that_differ_in_one_cell_have_results_of_their_own(brain, calls):
    @brain.memoize()
    def total(frame):
        CALLS.append(1)
        return frame["a"].sum()

    frame = pd.DataFrame({"a": np.arange(100_000), "text": "x"})
    changed = frame.copy()
    changed.loc[50_000, "a"] += 1
    assert total(changed) == total(frame) + 1
    assert total(frame.copy()) == total(frame)
    assert len(CALLS) == 2


def test_results_are_forgotten_one_by_one_or_all(brain, calls):
    @brain.memoize()
    def double(x):
        CALLS.append(x)
        return 2 * x

    other = brain.memoize()(lambda x: 3 * x)
    assert [double(1), double(2), other(1)] == [2, 4, 3]
    double.forget(1)
    assert [double(1), double(2)] == [2, 4]
    assert calls == [1, 2, 1]
    double.forget_all()
    assert (double.info().size, other.info().size) == (0, 1)
    assert double(2) == 4
    assert calls == [1, 2, 1, 2]


def test_results_are_no_names(brain):
    brain.memoize()(lambda: 1)()
    assert list(brain) == []
    assert brain.namespaces() == {"default"}
    brain.clear()


def test_namespaces_have_results_of_their_own_that_go_with_them(brain, calls):
    @brain.memoize()
    def once():
        CALLS.append(1)

    once()
    brain.set_namespace("other")
    brain["name"] = 1
    once()
    assert len(CALLS) == 2
    brain.remove_namespace()
    once()
    brain.set_namespace("other")
    once()
    assert len(CALLS) == 3
    brain.dead(i_am_sure=True)
    brain.start()
    assert once.info().size == 0


def test_result_is_over_after_its_time_to_live(tmp_path, calls):
    brain = Brain(path=tmp_path)

    @brain.memoize(ttl=2)
    def once():
        CALLS.append(1)

    once(), once()
    assert len(CALLS) == 1
    time.sleep(2.1)
    once()
    assert len(CALLS) == 2


def test_stale_result_is_given_at_once_while_one_renews_it(brain, calls):
    @brain.memoize(ttl=0.2, stale=60)
    def count():
        CALLS.append(1)
        if len(CALLS) > 1:
            assert GO_ON.wait(30)
        return len(CALLS)

    assert count() == 1
    time.sleep(0.3)
    with ThreadPoolExecutor(8) as pool:
        assert [turn.result() for turn in [pool.submit(count) for _ in range(8)]] == [1] * 8
    GO_ON.set()
    limit = time.monotonic() + 30
    while count() == 1 and time.monotonic() < limit:
        time.sleep(0.01)
    assert count() >= 2
    assert len(CALLS) == 2


def test_stale_result_is_given_at_once_while_a_coroutine_renews_it(brain, calls):
    async def main():
        assert await count() == 1
        await asyncio.sleep(0.3)
        assert [await count() for _ in range(4)] == [1] * 4
        GO_ON.set()
        while await count() == 1:
            await asyncio.sleep(0.01)
        assert len(CALLS) == 2

    @brain.memoize(ttl=0.2, stale=60)
    async def count():
        CALLS.append(1)
        if len(CALLS) > 1:
            await asyncio.to_thread(GO_ON.wait)
        return len(CALLS)

    asyncio.run(asyncio.wait_for(main(), 20))


def renewing():
    """Return the threads that renew something."""
    return [thread for thread in threading.enumerate() if thread.name == "dash_brain-renew"]


def until(happened):
    limit = time.monotonic() + 30
    while not happened() and time.monotonic() < limit:
        time.sleep(0.01)
    assert happened()


def test_one_renewal_is_under_way_however_many_ask_and_keeps_no_process_alive(brain, calls):
    @brain.memoize(ttl=0.1, stale=60)
    def count():
        CALLS.append(1)
        assert len(CALLS) == 1 or GO_ON.wait(30)

    until(lambda: not renewing())  # those of other tests
    count()
    time.sleep(0.2)
    count()
    until(lambda: len(CALLS) == 2)
    for _ in range(8):
        count()
    assert [thread.daemon for thread in renewing()] == [True]
    GO_ON.set()
    until(lambda: not renewing())


def test_renewal_that_got_no_thread_is_begun_by_a_later_call(brain, calls, monkeypatch):
    @brain.memoize(ttl=0.1, stale=60)
    def count():
        CALLS.append(1)
        return len(CALLS)

    def no_more(thread):
        raise RuntimeError("can't start new thread")

    count()
    time.sleep(0.2)
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", no_more)
        with pytest.raises(RuntimeError):
            count()
    assert count() == 1
    until(lambda: count() == 2)


def test_one_renewal_is_under_way_in_a_loop_however_many_ask(brain, calls):
    @brain.memoize(ttl=0.1, stale=60)
    async def count():
        CALLS.append(1)
        while len(CALLS) > 1 and not GO_ON.is_set():
            await asyncio.sleep(0.01)

    async def main():
        await count()
        await asyncio.sleep(0.2)
        for _ in range(8):
            await asyncio.gather(*(count() for _ in range(8)))
        tasks = [task for task in asyncio.all_tasks() if "renewals" in task.get_coro().__qualname__.lower()]
        assert len(tasks) == 1
        GO_ON.set()
        while renewals:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 20))
    assert len(CALLS) == 2


def test_renewal_may_ask_for_what_was_being_made_when_it_began(brain, calls, caplog):
    """Who makes "outer" is given a stale "inner", which is renewed meanwhile by way of "outer"."""

    @brain.memoize(ttl=0.1, stale=60, key=lambda: 0)
    def inner():
        CALLS.append(1)
        if len(CALLS) == 1:
            return "old"
        GO_ON.set()
        return outer()

    @brain.memoize(key=lambda: 0)
    def outer():
        assert inner() == "old"
        assert GO_ON.wait(30)
        time.sleep(0.2)  # until the renewal asks
        return "outer"

    inner()
    time.sleep(0.2)
    assert outer() == "outer"
    until(lambda: not renewing())
    assert inner() == "outer"
    assert "could not be renewed" not in caplog.text


def test_renewal_in_a_loop_may_ask_for_what_was_being_made_when_it_began(brain, calls, caplog):
    @brain.memoize(ttl=0.1, stale=60, key=lambda: 0)
    async def inner():
        CALLS.append(1)
        return "old" if len(CALLS) == 1 else await outer()

    @brain.memoize(key=lambda: 0)
    async def outer():
        assert await inner() == "old"
        await asyncio.sleep(0.3)  # until the renewal asks
        return "outer"

    async def main():
        await inner()
        await asyncio.sleep(0.2)
        assert await outer() == "outer"
        while renewals:
            await asyncio.sleep(0.01)
        assert await inner() == "outer"

    asyncio.run(asyncio.wait_for(main(), 20))
    assert "could not be renewed" not in caplog.text


def test_renewal_that_fails_in_a_loop_says_so(brain, caplog, calls):
    @brain.memoize(ttl=0.1, stale=60)
    async def fragile():
        CALLS.append(1)
        if len(CALLS) > 1:
            raise ValueError("of the renewal")
        return "old"

    async def main():
        await fragile()
        await asyncio.sleep(0.2)
        assert await fragile() == "old"
        while "of the renewal" not in caplog.text:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 20))
    assert "could not be renewed" in caplog.text


def test_renewal_that_fails_leaves_the_old_result_and_says_so(brain, caplog):
    RENEWALS.clear()

    @brain.memoize(ttl=0.1, stale=60)
    def fragile():
        RENEWALS.append(1)
        if len(RENEWALS) > 1:
            raise ValueError("of the renewal")
        return "old"

    fragile()
    time.sleep(0.2)
    assert fragile() == "old"
    limit = time.monotonic() + 30
    while "of the renewal" not in caplog.text and time.monotonic() < limit:
        time.sleep(0.01)
    assert "could not be renewed" in caplog.text
    assert fragile() == "old"


def test_coroutine_functions_are_coroutine_functions_still(brain, calls):
    @brain.memoize()
    async def slow(x):
        CALLS.append(x)
        await asyncio.sleep(0.05)
        return x

    async def main():
        return await asyncio.gather(*(slow(1) for _ in range(5)), slow(2))

    assert inspect.iscoroutinefunction(slow)
    assert asyncio.run(main()) == [1] * 5 + [2]
    assert sorted(calls) == [1, 2]


def test_methods_are_memoized_by_their_object_too(brain, calls):
    class Scale:
        def __init__(self, factor):
            self.factor = factor

        def __reduce__(self):
            return complex, (self.factor,)

        @brain.memoize()
        def times(self, x):
            CALLS.append(x)
            return self.factor * x

    assert [Scale(2).times(3), Scale(2).times(3), Scale(5).times(3)] == [6, 6, 15]
    assert calls == [3, 3]


def test_key_stands_for_the_arguments(brain, calls):
    @brain.memoize(key=lambda connection, table: table)
    def rows(connection, table):
        CALLS.append(table)
        return table

    assert [rows(open, "a"), rows(print, "a"), rows(lambda: 1, "b")] == ["a", "a", "b"]
    assert calls == ["a", "b"]
    rows.forget(None, "a")
    rows(open, "a")
    assert calls == ["a", "b", "a"]


def test_what_cannot_be_fingerprinted_is_refused_with_the_name_of_the_argument(brain):
    lock = threading.Lock()
    with pytest.raises(EncodeError, match=r"'second'.*key="):
        brain.memoize()(lambda first, second: first)(1, lock)
    with pytest.raises(EncodeError, match=r"closes over.*key="):
        brain.memoize()(lambda: lock)()


def test_key_stands_for_what_a_function_closes_over_too(brain, calls):
    lock = threading.Lock()

    @brain.memoize(key=lambda x: x)
    def guarded(x):
        with lock:
            CALLS.append(x)

    guarded(1), guarded(1), guarded(2)
    assert calls == [1, 2]


def test_function_that_closes_over_something_else_is_another_function(brain):
    def scaled(factor):
        return brain.memoize()(lambda x: factor * x)

    assert [scaled(2)(3), scaled(5)(3), scaled(2)(3)] == [6, 15, 6]
    assert scaled(2).info().size == scaled(5).info().size == 1


def test_result_that_cannot_be_stored_is_refused(brain):
    with pytest.raises(EncodeError):
        brain.memoize()(lambda: (x for x in ()))()


def test_exception_is_not_kept(brain, calls):
    @brain.memoize()
    def fragile():
        CALLS.append(1)
        if len(CALLS) == 1:
            raise ValueError
        return "result"

    with pytest.raises(ValueError):
        fragile()
    assert fragile() == "result"


def test_wrong_arguments_are_the_callers_type_error(brain):
    with pytest.raises(TypeError, match="argument"):
        brain.memoize()(lambda x: x)()


@pytest.mark.parametrize(
    "options", [{"ttl": 0}, {"ttl": -1}, {"ttl": math.nan}, {"stale": 1}, {"ttl": 1, "stale": 0}]
)
def test_lifetimes_that_make_no_sense_are_refused_when_they_are_given(brain, options):
    with pytest.raises(ValueError, match=r"ttl|stale"):
        brain.memoize(**options)


def test_forgotten_brackets_are_noticed(brain):
    with pytest.raises(TypeError, match=r"@brain\.memoize\(\)"):
        brain.memoize(lambda: 1)


def test_recursive_and_mutually_recursive_functions(brain, calls):
    @brain.memoize()
    def even(n):
        CALLS.append(n)
        return n == 0 or odd(n - 1)

    @brain.memoize()
    def odd(n):
        CALLS.append(n)
        return n > 0 and even(n - 1)

    @brain.memoize()
    def fibonacci(n):
        CALLS.append(n)
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(even if n % 2 else odd, 20 - n % 4) for n in range(16)]
        assert all(turn.result(60) is not None for turn in turns)
    assert len(CALLS) <= 2 * 21
    calls.clear()
    assert fibonacci(30) == 832040
    assert sorted(calls) == list(range(31))


def test_8_processes_compute_it_once(tmp_path):
    (tmp_path / "made").mkdir()
    with FORKSERVER.Pool(8) as pool:
        results = pool.starmap(call_slow_square, [(str(tmp_path), n % 2) for n in range(16)], 1)
    assert results == [n % 2 for n in range(16)]
    assert len(list((tmp_path / "made").iterdir())) == 2


def test_result_is_given_though_the_store_has_no_room_for_it(brain, monkeypatch, caplog):
    @brain.memoize()
    def once():
        return "result"

    def full(*_, **__):
        raise StoreFull("no room")

    monkeypatch.setattr(type(brain._store), "put", full)
    assert issubclass(StoreFull, BrainLearnNameError)
    assert once() == "result"
    assert "is not kept" in caplog.text


def test_bound_method_counts_what_its_object_is_now(brain):
    class Scale:
        factor = 2

        def __reduce__(self):
            return complex, (self.factor,)

        def times(self, x):
            return self.factor * x

    scale = Scale()
    times = brain.memoize()(scale.times)
    assert times(3) == 6
    scale.factor = 9
    assert times(3) == 27


def test_forgetting_waits_for_who_computes_and_forgets_that_too(brain, calls):
    @brain.memoize()
    def slow():
        CALLS.append(1)
        GO_ON.set()
        time.sleep(0.3)
        return len(CALLS)

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(slow)
        assert GO_ON.wait(30)
        slow.forget()
        assert turn.result() == 1
        assert slow() == 2


@pytest.mark.parametrize("nested", [False, True])
def test_forgetting_what_the_call_itself_computes_is_refused(brain, nested):
    def forget():
        with pytest.raises(RuntimeError, match="when it is made"):
            slow.forget()

    inner = brain.memoize(key=lambda: 1)(forget)

    @brain.memoize(key=lambda: 2)
    def slow():
        return (inner if nested else forget)()

    slow()
    assert slow.info().size == 1
    slow.forget()
    assert slow.info().size == 0


def test_forgetting_what_the_loop_itself_computes_is_refused(brain):
    async def main():
        begun, go_on = asyncio.Event(), asyncio.Event()

        @brain.memoize(key=lambda: 0)
        async def rate():
            begun.set()
            await go_on.wait()

        turn = asyncio.create_task(rate())
        await begun.wait()
        with pytest.raises(RuntimeError, match="from a thread"):
            rate.forget()
        forgetting = asyncio.create_task(asyncio.to_thread(rate.forget))
        go_on.set()
        await asyncio.gather(turn, forgetting)
        return rate.info().size

    assert asyncio.run(main()) == 0


def test_computations_that_forget_one_another_are_told_so(brain, monkeypatch):
    monkeypatch.setattr(deadlock, "LONGEST_WAIT", 0.6)
    both_compute = threading.Barrier(2)

    @brain.memoize(key=lambda: 0)
    def first():
        both_compute.wait(30)
        second.forget()

    @brain.memoize(key=lambda: 0)
    def second():
        both_compute.wait(30)
        first.forget()

    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(first), pool.submit(second)]
        assert Deadlock in [type(turn.exception(20)) for turn in turns]


def test_stale_result_is_renewed_though_the_loop_ends_with_who_asked(brain, calls):
    @brain.memoize(ttl=0.1, stale=60)
    async def count():
        CALLS.append(1)
        await asyncio.sleep(0.05)
        return len(CALLS)

    assert asyncio.run(count()) == 1
    time.sleep(0.2)
    assert asyncio.run(count()) == 1
    limit = time.monotonic() + 30
    while len(calls) < 2 and time.monotonic() < limit:
        time.sleep(0.01)
    time.sleep(0.1)
    assert asyncio.run(count()) >= 2


def test_results_that_go_while_they_are_counted_are_left_out(brain, monkeypatch):
    one = brain.memoize()(lambda: 1)
    one()
    scan = type(brain._store).scan

    def with_one_that_is_gone(store, namespace):
        keys = list(scan(store, namespace))
        return iter([*keys, *(key + "gone" for key in keys)])

    monkeypatch.setattr(type(brain._store), "scan", with_one_that_is_gone)
    assert one.info().size == 1


def test_namespaces_compute_results_of_their_own_at_the_same_moment(brain):
    """Of one function and the same arguments: whose result cannot be kept is not given to others."""
    together = threading.Barrier(2)

    def wait_for_the_other():
        return together.wait(30)

    key = {"key": lambda: 0}
    ours, theirs = (one.memoize(**key)(wait_for_the_other) for one in (brain, brain.view("other")))
    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(ours), pool.submit(theirs)]
        assert sorted(turn.result(60) for turn in turns) == [0, 1]


def test_hit_asks_the_store_once(brain, monkeypatch):
    one = brain.memoize(ttl=60)(lambda: 1)
    one()
    monkeypatch.setattr(type(brain._store), "info", lambda *_: pytest.fail("asked for more"))
    assert one() == 1


@pytest.mark.parametrize(("ttl", "own", "seconds"), [(None, None, None), (60, None, 60), (60, 5, 5)])
def test_result_lives_as_long_as_it_says_or_else_as_the_brain_does(store, ttl, own, seconds):
    brain = Brain(store=store, ttl=ttl)
    brain.memoize(ttl=own)(lambda: 1)()
    [namespace] = store.namespaces("memo")
    [key] = store.scan(namespace)
    info = store.info(namespace, key)
    lives = None if info.expires is None else info.expires - info.created
    assert lives == (None if seconds is None else pytest.approx(seconds, abs=2))
