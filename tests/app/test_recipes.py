"""What is known of a memoized call: when it counts, how long it lives, and what it is good for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import dash
import pytest
from dash import ALL, Input, Output, State, html, no_update

from dash_brain import Memoize, ServerStore, brain_callback, codec, session_brain, to_token
from dash_brain.errors import BadToken, StoreError
from dash_brain.memo import lifetimes
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.web.recipes import definitions, recompute
from dash_brain.web.recipes.definitions import Definition
from dash_brain.web.recipes.records import record_key
from dash_brain.web.tokens import Token, Verified
from tests.app.memoized import app_with, evict, objects

# Functions see these as variables of their module. Over local ones they would close.
CALLS = []
TOGETHER = threading.Barrier(2)
HOUR = 3600


class Clock:
    now = float(int(time.time()))  # leases are told by the real one

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def calls():
    CALLS.clear()
    TOGETHER.reset()
    return CALLS


@pytest.fixture
def clock(tmp_path):
    clock = Clock()
    current.forget()
    configure(FileStore(tmp_path / "clocked", clock=clock))
    return clock


def counted(n):
    CALLS.append(n)
    return [n]


def forgotten_on_the_way(n):
    CALLS.append(n)
    if len(CALLS) == 2:
        forgotten_on_the_way.forget_all()
    return [n]


def showing(memoize, function=counted):
    """Return an app whose store "a" is filled by a memoized callback, and the callback."""
    brain_callback(Output("a", "data"), Input("n", "value"), memoize=memoize)(function)

    @brain_callback(Output("out", "children"), Input("a", "data"), on_missing=lambda error: error)
    def show(a):
        return f"{type(a).__name__}: {getattr(a, 'reason', a)}"

    return app_with(html.Div(id="out"))


def shown(page):
    return page.fire("out.children")["out"]["children"]


def memoized_info():
    """Return what the store knows of the one value that is memoized."""
    [one] = objects("memo") + objects("session-memo")
    return current.use().store.info(*one)


# -- how long it lives -------------------------------------------------------------------------------


def test_result_that_is_used_lives_on(open_page, clock, calls):
    page = open_page(showing("session"))
    for _ in range(4):
        page.fire("a.data")
        clock.now += 5 * HOUR
    assert calls == [2]


@pytest.mark.parametrize(
    ("memoize", "hours"), [("app", None), ("session", 8), (Memoize("app", ttl=2 * HOUR, stale=2 * HOUR), 4)]
)
def test_result_lives_as_long_as_its_scope_or_its_ttl_says(open_page, clock, memoize, hours):
    open_page(showing(memoize)).fire("a.data")
    expires = memoized_info().expires
    assert expires == (None if hours is None else clock.now + hours * HOUR)
    [record] = objects("recipes") + objects("session-recipes")
    expires = current.use().store.info(*record).expires
    assert expires == (None if hours is None else clock.now + 2 * hours * HOUR)


def test_value_that_is_put_back_lives_as_long_as_before(open_page, clock):
    page = open_page(showing("session"))
    page.fire("a.data")
    for again in (lambda: shown(page), lambda: page.fire("a.data")):
        evict()
        again()
        assert memoized_info().expires == clock.now + 8 * HOUR


@pytest.mark.parametrize(("ttl", "lives"), [(100, HOUR), (2 * HOUR, 2 * HOUR), (None, None)])
def test_what_a_page_holds_lives_for_its_lease_at_least(clock, ttl, lives):
    store, found = current.use().store, Verified("memo/app/test", "1" * 32)
    store.put(*found, [b"value"], ttl=ttl)
    assert recompute.lease(store, found, HOUR)
    assert store.info(*found).expires == (None if lives is None else pytest.approx(clock.now + lives, abs=60))


def test_lease_of_an_evicted_value_is_good_while_it_can_be_computed_again(open_page):
    page = open_page(showing("app"))
    page.fire("a.data")
    [found] = objects("memo")
    evict()
    assert recompute.lease(current.use().store, Verified(*found), HOUR)
    for one in objects("recipes"):
        current.use().store.delete(*one)
    assert not recompute.lease(current.use().store, Verified(*found), HOUR)


def test_value_that_is_forgotten_while_it_is_computed_again_is_not_put_back(open_page, calls):
    page = open_page(showing("app", forgotten_on_the_way))
    page.fire("a.data")
    evict()
    assert shown(page) == "list: [2]"
    assert calls == [2, 2]
    assert objects("memo") == objects("recipes") == []
    assert shown(page) == "ValueMissing: deleted"


def test_values_of_a_session_stay_within_its_quota(open_page):
    configure(session_quota=300_000)
    page = open_page(showing("session", lambda n: bytes([n]) * 50_000))
    for number in range(20):
        page.props["n"]["value"] = number
        page.fire("a.data")
    store = current.use().store
    assert 0 < sum(store.info(*one).nbytes for one in objects("session-memo")) <= 300_000


def test_values_that_are_put_back_stay_within_the_quota(open_page):
    configure(session_quota=300_000)
    page = open_page(showing("session", lambda n: bytes([n]) * 50_000))
    tokens = []
    for number in range(5):
        page.props["n"]["value"] = number
        tokens.append(page.fire("a.data")["a"]["data"])
    evict()
    object.__setattr__(current.use(), "session_quota", 100_000)
    for token in tokens:
        page.props["a"]["data"] = token
        assert shown(page).startswith("bytes")
    store = current.use().store
    assert sum(store.info(*one).nbytes for one in objects("session-memo")) <= 100_000


# -- when it counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("junk", [[b"no pickle at all"], codec.encode("another value")])
def test_record_that_is_none_is_as_good_as_none(open_page, calls, junk):
    page = open_page(showing("app"))
    page.fire("a.data")
    for one in objects("recipes"):
        current.use().store.put(*one, junk)
    evict()
    assert shown(page).startswith("ValueMissing")
    page.fire("a.data")
    assert shown(page) == "list: [2]"
    assert calls == [2, 2]


def test_value_of_a_function_that_was_changed_is_not_computed_again(open_page, calls):
    def made(code):
        scope = {"__name__": "made"}
        exec(code, scope)
        return scope["load"]

    load, changed = made("def load(n): return [n]"), made("def load(n): return [-n]")
    page = open_page(showing("app", load))
    page.fire("a.data")
    evict()
    [old] = [one for one in definitions._definitions.values() if one.function is load]
    definitions.register(Definition(changed, old.memoize, old.outputs, old.inputs))
    assert shown(page).startswith("ValueMissing")


def test_value_whose_arguments_cannot_be_read_is_missing(open_page):
    page, store = open_page(showing("app")), current.use().store
    page.fire("a.data")
    [(namespace, short)] = objects("recipes")
    record = codec.decode(store.get(namespace, short))
    store.put(namespace, short, codec.encode(replace(record, arguments=b"no pickle at all")))
    evict()
    assert shown(page).startswith("ValueMissing")


def test_value_of_a_callback_that_this_process_has_not_declared_is_missing(open_page, monkeypatch):
    page = open_page(showing("app"))
    page.fire("a.data")
    evict()
    monkeypatch.setattr(definitions, "_definitions", {})
    assert shown(page).startswith("ValueMissing")


def test_function_over_something_that_lost_its_fingerprint_computes_nothing_again(open_page):
    closed_over = []

    def load(n):
        return [n, len(closed_over)]

    page = open_page(showing("app", load))
    page.fire("a.data")
    evict()
    closed_over.append(threading.Lock())
    assert shown(page).startswith("ValueMissing")


def test_result_of_a_function_that_closes_over_something_else_is_another(open_page):
    factor = 2

    def load(n):
        return [factor * n]

    page = open_page(showing("app", load))
    page.fire("a.data")
    factor = 5
    page.fire("a.data")
    assert shown(page) == "list: [10]"


def test_functions_of_one_name_have_results_of_their_own(open_page):
    for code in ("def load(n): return [n]", "def load(n): return [-n]"):
        scope = {"__name__": "made"}
        exec(code, scope)
        output = "a" if "-" in code else "b"
        brain_callback(Output(output, "data"), Input("n", "value"), memoize="app")(scope["load"])

    @brain_callback(Output("out", "children"), Input("a", "data"), Input("b", "data"))
    def show(a, b):
        return str([a, b])

    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data"), page.fire("b.data")
    assert shown(page) == "[[-2], [2]]"


def test_one_function_for_two_stores_is_computed_again_for_both(open_page):
    brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(counted)
    brain_callback([Output("b", "data"), Output("c", "data")], Input("n", "value"), memoize="app")(twice)

    @brain_callback(Output("out", "children"), *(Input(one, "data") for one in "abc"))
    def show(*values):
        return str(values)

    page = open_page(app_with(ServerStore(id="c"), html.Div(id="out")))
    page.fire("a.data"), page.fire("b.data")
    evict()
    assert shown(page) == "([2], [2], [2])"


def twice(n):
    return [n], [n]


def test_names_of_records_tell_nothing_to_who_has_not_the_store():
    call = "0" * 64
    assert record_key(MemoryStore(), call) != record_key(MemoryStore(), call)


def test_result_for_values_of_the_session_among_many_is_the_sessions(open_page):
    many = [ServerStore(id={"part": number}) for number in range(2)]
    brain_callback(Output({"part": ALL}, "data"), Input("n", "value"))(lambda n: [{n}, {n}])
    brain_callback(Output("b", "data"), Input({"part": ALL}, "data"), memoize="app")(lambda parts: parts)
    page = open_page(app_with(*many))
    page.fire('{"part":["ALL"]}.data'), page.fire("b.data")
    assert objects("memo") == objects("recipes") == []
    assert len(objects("session-memo")) == 1


def test_sessions_compute_at_the_same_moment_each_for_itself(open_page):
    app = showing("session", lambda n: TOGETHER.wait(30))
    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(open_page(app).fire, "a.data") for _ in range(2)]
        assert all(turn.result(60) for turn in turns)
    assert len(objects("session-memo")) == 2


def test_evicted_values_are_computed_again_at_the_same_moment(open_page):
    def load(n):
        CALLS.append(n)
        return [n if len(CALLS) <= 2 else TOGETHER.wait(30)]

    app = showing("app", load)
    pages = [open_page(app) for _ in range(2)]
    for number, page in enumerate(pages):
        page.props["n"]["value"] = number
        page.fire("a.data")
    evict()
    with ThreadPoolExecutor(2) as pool:
        seen = [turn.result(60) for turn in [pool.submit(shown, page) for page in pages]]
    assert sorted(seen) == ["list: [0]", "list: [1]"]


def test_empty_store_is_an_argument_like_any_other(open_page, calls):
    @brain_callback(Output("b", "data"), Input("a", "data"), memoize="app")
    def copied(a):
        CALLS.append(a)
        return [a]

    page = open_page(app_with())
    assert page.fire("b.data") == page.fire("b.data")
    assert calls == [None]


@pytest.mark.parametrize("key", [None, lambda a: 0])
@pytest.mark.parametrize("token", ["evicted", "forged"])
def test_argument_that_is_gone_is_left_to_on_missing(open_page, calls, key, token):
    brain_callback(Output("a", "data"), Input("n", "value"))(lambda n: {n})

    @brain_callback(
        Output("b", "data"), Input("a", "data"), memoize=Memoize("app", key=key), on_missing="empty"
    )
    def copied(a):
        CALLS.append(a)
        return [a]

    page = open_page(app_with())
    page.fire("a.data")
    if token == "forged":
        page.props["a"]["data"] = page.props["a"]["data"][:-3] + "AAA"
    for one in objects("session"):
        current.use().store.delete(*one)
    page.fire("b.data")
    assert calls == [None]


# -- computing it again ------------------------------------------------------------------------------


def test_coroutine_that_computes_again_sees_nothing_of_the_callback_that_asks(open_page):
    async def talks(n):
        if dash.callback_context.triggered is not None:
            dash.set_props("said", {"children": "side effect"})
        return [n]

    app = showing("session", talks)
    app.layout.children.append(html.Div(id="said"))
    page = open_page(app)
    page.fire("a.data")
    evict()
    assert set(page.fire("out.children")) == {"out"}


def test_coroutine_that_computes_again_knows_whose_session_it_is(open_page):
    async def load(n):
        return [session_brain.get_or_learn("first", lambda: n)]

    page = open_page(showing("session", load))
    page.fire("a.data")
    evict()
    assert shown(page) == "list: [2]"


def test_result_by_key_is_not_computed_again_from_what_another_gave(open_page):
    page = open_page(showing(Memoize("app", key=lambda n: 0)))
    page.fire("a.data")
    evict()
    assert shown(page).startswith("ValueMissing")


@pytest.mark.parametrize("now", [[[1]], [[1], [2], [3]], "text", None, 7])
def test_result_of_another_shape_the_second_time_is_missing(open_page, calls, now):
    many = [ServerStore(id={"part": number}) for number in range(2)]

    @brain_callback(Output({"part": ALL}, "data"), Input("n", "value"), memoize="app")
    def moody(n):
        CALLS.append(n)
        return now if len(CALLS) == 2 else [[n], [n]]

    @brain_callback(Output("out", "children"), Input({"part": ALL}, "data"), on_missing=lambda error: error)
    def show(parts):
        return str([type(part).__name__ for part in parts])

    page = open_page(app_with(html.Div(id="out"), *many))
    page.fire('{"part":["ALL"]}.data')
    evict()
    assert shown(page) == "['ValueMissing', 'list']"


def test_result_that_changes_nothing_the_second_time_is_kept_anew(open_page, calls):
    @brain_callback(Output("a", "data"), Output("b", "data"), Input("n", "value"), memoize="app")
    def moody(n):
        CALLS.append(n)
        return ([n], [n]) if len(CALLS) == 1 else no_update

    page = open_page(app_with())
    assert page.fire("a.data")
    evict()
    assert not page.fire("a.data")
    assert not page.fire("a.data")
    assert calls == [2, 2]


def test_token_that_comes_out_the_second_time_is_no_value(open_page, calls):
    def load(n):
        CALLS.append(n)
        return [n] if len(CALLS) == 1 else to_token(n)

    page = open_page(showing("app", load))
    page.fire("a.data")
    evict()
    assert shown(page) == "ValueMissing: evicted"


def test_evicted_result_that_is_stale_is_kept_anew(open_page, calls, monkeypatch):
    def load(n):
        CALLS.append(n)
        return [n, len(CALLS)]

    page = open_page(showing(Memoize("app", ttl=600, stale=6000), load))
    first = page.fire("a.data")
    evict()
    with monkeypatch.context() as later:
        later.setattr(lifetimes, "time", SimpleNamespace(time=lambda: time.time() + 700))
        assert page.fire("a.data") != first
    assert page.fire("a.data") == page.fire("a.data")
    assert calls == [2, 2]


def test_result_that_has_no_store_any_more_is_kept_anew(open_page, calls):
    def load(n):
        CALLS.append(n)
        return [n] if len(CALLS) == 1 else None

    page = open_page(showing("app", load))
    page.fire("a.data")
    evict()
    assert page.fire("a.data") == {"a": {"data": None}}
    assert page.fire("a.data") == {"a": {"data": None}}
    assert calls == [2, 2]


def test_error_of_the_callback_comes_out_though_the_store_fails_too(open_page, monkeypatch, caplog):
    seen = []

    @brain_callback(
        Output("a", "data"), Output("b", "data"), Input("n", "value"), memoize="app", on_error=seen.append
    )
    def half(n):
        return [n], threading.Lock()

    def fail(*_):
        raise StoreError("of the store")

    page = open_page(app_with())
    monkeypatch.setattr(type(current.use().store), "delete", fail)
    page.post("a.data")
    [error] = seen
    assert "lock" in str(error)


# -- forgetting --------------------------------------------------------------------------------------


def test_forgetting_one_callback_leaves_the_others_and_deletes_its_values(open_page, calls):
    load = brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(lambda n: counted(n))
    brain_callback(Output("b", "data"), Input("n", "value"), memoize="app")(lambda n: counted(-n))
    brain_callback(Output("out", "children"), Input("n", "value"))(lambda n: load.forget_all())
    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data"), page.fire("b.data"), page.fire("out.children")
    assert len(objects("memo")) == len(objects("recipes")) == 1
    page.fire("b.data")
    assert calls == [2, -2]


def test_evicted_values_take_no_room_among_what_is_known(open_page):
    load = brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(lambda n: bytes(100_000))
    brain_callback(Output("out", "children"), Input("n", "value"))(lambda n: list(load.info()))
    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data")
    evict()
    hits, misses, size, nbytes = page.fire("out.children")["out"]["children"]
    assert (hits, misses, size) == (0, 1, 1)
    assert nbytes < 100_000


def test_results_by_key_are_forgotten_by_their_key(open_page, calls):
    memoize = Memoize("app", key=lambda n: n % 2)
    load = brain_callback(Output("a", "data"), Input("n", "value"), memoize=memoize)(lambda n: counted(n))
    brain_callback(Output("out", "children"), Input("n", "value"))(lambda n: load.forget(4))
    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data"), page.fire("out.children"), page.fire("a.data")
    assert calls == [2, 2]


def test_inputs_and_states_in_any_order_are_forgotten(open_page, calls):
    given = {"state": State("b", "storage_type"), "number": Input("n", "value")}
    load = brain_callback(Output("a", "data"), inputs=given, memoize="app")(
        lambda state, number: counted(f"{state} {number}")
    )
    brain_callback(Output("out", "children"), Input("n", "value"))(
        lambda n: load.forget(state="memory", number=2)
    )
    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data"), page.fire("a.data"), page.fire("out.children"), page.fire("a.data")
    assert calls == ["memory 2"] * 2


@pytest.mark.parametrize("wildcards", [False, True])
def test_results_for_a_value_of_a_store_are_forgotten_by_its_token(open_page, calls, wildcards):
    wanted = Input({"part": ALL}, "data") if wildcards else Input("a", "data")
    brain_callback(Output("a", "data"), Input("n", "value"))(lambda n: [n])
    brain_callback(Output({"part": ALL}, "data"), Input("n", "value"))(lambda n: [[n]])
    copied = brain_callback(Output("b", "data"), wanted, memoize="app")(lambda a: counted(len(a)))

    @dash.callback(Output("out", "children"), wanted)
    def forget(token):
        copied.forget([Token(one) for one in token] if wildcards else Token(token))

    page = open_page(app_with(html.Div(id="out"), ServerStore(id={"part": 0})))
    fill = '{"part":["ALL"]}.data' if wildcards else "a.data"
    page.fire(fill), page.fire("b.data")
    page.fire(fill), page.fire("b.data")
    assert calls == [1, 1]
    assert len(objects("session-memo")) == 2
    page.post("out.children")
    assert len(objects("session-memo")) == 1
    page.fire("b.data")
    assert calls == [1, 1, 1]


def test_foreign_token_is_no_way_to_forget(open_page, calls):
    copied = brain_callback(Output("b", "data"), Input("a", "data"), memoize="app")(lambda a: counted(a))
    brain_callback(Output("a", "data"), Input("n", "value"))(lambda n: [n])

    @dash.callback(Output("out", "children"), Input("n", "value"))
    def forget(token):
        with pytest.raises(BadToken):
            copied.forget(Token(token))
        return "refused"

    app = app_with(html.Div(id="out"))
    page, other = open_page(app), open_page(app)
    page.fire("a.data"), page.fire("b.data")
    other.props["n"]["value"] = page.props["a"]["data"]
    assert shown(other) == "refused"


# -- what is wrong is said at once -------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"ttl": 0}, {"stale": 5}, {"ttl": 1, "stale": -1}])
def test_lifetimes_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"ttl|stale"):
        Memoize("app", **options)


def test_key_stands_for_what_a_callback_closes_over_too(open_page, calls):
    lock = threading.Lock()

    def guarded(n):
        with lock:
            return counted(n)

    page = open_page(showing(Memoize("app", key=lambda n: n), guarded))
    assert page.fire("a.data") == page.fire("a.data")
    assert calls == [2]


# -- renewing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_one_renewal_is_under_way_however_many_ask(open_page, calls, kind):
    go_on.clear()

    def load(n):
        CALLS.append(n)
        assert len(CALLS) == 1 or go_on.wait(30)
        return [session_brain.get_or_learn("n", lambda: n), len(CALLS)]

    async def load_async(n):
        return load(n)

    memoize = Memoize("session", ttl=0.2, stale=60, key=lambda n: n)
    page = open_page(showing(memoize, load if kind == "function" else load_async))
    first = page.fire("a.data")
    time.sleep(0.3)
    assert page.fire("a.data") == first
    until(lambda: len(CALLS) == 2)
    assert [page.fire("a.data") for _ in range(5)] == [first] * 5
    assert len(renewing()) == 1
    go_on.set()
    until(lambda: not renewing())
    assert page.fire("a.data") != first
    assert shown(page) == "list: [2, 2]"


go_on = threading.Event()


def renewing():
    return [thread for thread in threading.enumerate() if thread.name == "dash_brain-renew"]


def until(happened):
    limit = time.monotonic() + 20
    while not happened() and time.monotonic() < limit:
        time.sleep(0.01)
    assert happened()
