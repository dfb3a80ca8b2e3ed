"""A memoized callback computes once for the same arguments, and gives out tokens of what is there."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import dash
import numpy as np
import pandas as pd
import pytest
from dash import ALL, Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from dash_brain import Memoize, ServerStore, brain_callback, codec, session_brain, to_token
from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.settings import SESSION_TTL, configure, current
from dash_brain.stores import FileStore
from dash_brain.testing import Clock
from dash_brain.web.sessions.session_registry import remove_session
from tests.app.memoized import app_with, evict, objects

# Functions see it as a variable of their module. Over a local one they would close, and a list that grows
# makes them other functions.
CALLS = []


@pytest.fixture(autouse=True)
def calls():
    CALLS.clear()
    return CALLS


def frame(n):
    CALLS.append(n)
    return pd.DataFrame({"n": np.arange(n * 1000)})


def memoized_frames(memoize):
    brain_callback(Output("a", "data"), Input("n", "value"), memoize=memoize)(frame)

    @brain_callback(Output("out", "children"), Input("a", "data"))
    def show(a):
        return len(a)

    return app_with(html.Div(id="out"))


def test_result_that_is_asked_for_lives_on_however_long(open_page, calls, tmp_path):
    now = 1_800_000_000.0
    current.forget()
    configure(FileStore(tmp_path, clock=lambda: now))
    app = memoized_frames("session")
    page = open_page(app)
    tokens = set()
    for _ in range(6):
        tokens.add(page.fire("a.data")["a"]["data"])
        now += 0.9 * SESSION_TTL
        current.use().store.sweep()
    assert (len(tokens), calls) == (1, [2])


def test_result_is_computed_anew_when_the_clock_was_ahead_and_is_right_again(
    open_page, calls, tmp_path, monkeypatch
):
    clock = Clock(1_800_000_000.0)
    monkeypatch.setattr(time, "time", clock)
    current.forget()
    configure(FileStore(tmp_path, clock=clock))
    page = open_page(memoized_frames(Memoize("app", ttl=60)))
    for _ in range(2):
        page.fire("a.data")
    assert calls == [2]
    clock.advance(-7 * 24 * 3600)
    for _ in range(2):
        page.fire("a.data")
    assert calls == [2, 2]


@pytest.mark.parametrize(("scope", "computed"), [("app", [2, 3]), ("session", [2, 3, 2])])
def test_same_arguments_are_computed_once_in_the_scope(open_page, calls, scope, computed):
    app = memoized_frames(scope)
    page = open_page(app)
    tokens = [page.fire("a.data")["a"]["data"] for _ in range(3)]
    assert len(set(tokens)) == 1
    assert len(tokens[0]) < 100
    assert page.fire("out.children") == {"out": {"children": 2000}}
    page.props["n"]["value"] = 3
    assert page.fire("a.data")["a"]["data"] != tokens[0]
    other = open_page(app)
    other.fire("a.data")
    assert other.fire("out.children") == {"out": {"children": 2000}}
    assert calls == computed


def test_token_of_one_session_opens_nothing_in_another(open_page):
    app = memoized_frames("session")
    page, other = open_page(app), open_page(app)
    page.fire("a.data")
    other.props["a"]["data"] = page.props["a"]["data"]
    assert other.post("out.children").status_code == 500


def test_hit_reads_decodes_and_copies_none_of_the_large_values(open_page, monkeypatch):
    page = open_page(memoized_frames("app"))
    page.fire("a.data")
    large = {key for _, key in objects("memo")}
    assert large
    read, real_get, real_decode = [], type(current.use().store).get, codec.decode

    def get(store, namespace, key):
        read.append(key)
        return real_get(store, namespace, key)

    def decode(frames):
        assert sum(map(len, frames)) < 4096
        return real_decode(frames)

    monkeypatch.setattr(type(current.use().store), "get", get)
    monkeypatch.setattr(codec, "decode", decode)
    put = []
    monkeypatch.setattr(type(current.use().store), "put", lambda *args, **kwargs: put.append(args))
    page.fire("a.data")
    assert read
    assert not large & set(read)
    assert not put


def test_large_arguments_count_as_their_objects_and_are_not_read_by_a_hit(open_page, calls, monkeypatch):
    brain_callback(Output("a", "data"), Input("n", "value"))(lambda n: np.zeros(n * 100_000))

    @brain_callback(Output("b", "data"), Input("a", "data"), memoize="session")
    def total(a):
        CALLS.append(a.sum())
        return {"total": a.sum()}

    page = open_page(app_with())
    page.fire("a.data")
    first = page.fire("b.data")
    real = type(current.use().store).get
    monkeypatch.setattr(
        type(current.use().store),
        "get",
        lambda store, namespace, key: (
            real(store, namespace, key) if not namespace.startswith("session/") else pytest.fail("read")
        ),
    )
    assert page.fire("b.data") == first
    monkeypatch.undo()
    page.fire("a.data")  # equal content, but another object
    assert page.fire("b.data") != first
    assert calls == [0, 0]


def test_12_pages_at_once_compute_once(open_page, calls):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")
    def slow(n):
        CALLS.append(n)
        time.sleep(0.5)
        return {n}

    app = app_with()
    pages = [open_page(app) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        tokens = {turn.result()["a"]["data"] for turn in [pool.submit(one.fire, "a.data") for one in pages]}
    assert len(tokens) == 1
    assert calls == [2]


def test_async_callbacks_are_memoized_too(open_page, calls):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")
    async def load(n):
        CALLS.append(n)
        return {n}

    page = open_page(app_with())
    assert page.fire("a.data") == page.fire("a.data")
    assert calls == [2]


def test_results_of_any_shape_come_back_as_they_were(open_page, calls):
    stores = [ServerStore(id={"part": number}) for number in range(3)]

    @brain_callback(
        output={
            "pair": (Output("a", "data"), Output("b", "data")),
            "text": Output("out", "children"),
            "parts": Output({"part": ALL}, "data"),
        },
        inputs={"n": Input("n", "value")},
        state={"parts": State({"part": ALL}, "id")},
        memoize="session",
    )
    def everything(n, parts):
        CALLS.append(n)
        same = np.zeros(1000)
        return {"pair": (same, same), "text": "text", "parts": [no_update, None, {n}]}

    @brain_callback(Output("seen", "children"), State("a", "data"), State({"part": ALL}, "data"))
    def show(a, parts):
        return f"{len(a)} {parts}"

    page = open_page(app_with(html.Div(id="out"), html.Div(id="seen"), *stores))
    first = page.fire("a.data")
    assert first == page.fire("a.data")
    assert first["a"] == first["b"]
    assert first["out"] == {"children": "text"}
    assert calls == [2]
    assert page.fire("seen.children")["seen"]["children"] == "1000 [None, None, {2}]"


def test_result_is_over_after_its_time_to_live(open_page, calls):
    page = open_page(memoized_frames(Memoize("app", ttl=2)))
    first = page.fire("a.data")
    assert page.fire("a.data") == first
    time.sleep(2.1)
    assert page.fire("a.data") != first
    assert calls == [2, 2]


def test_page_keeps_what_it_holds_when_the_result_is_over(open_page):
    page = open_page(memoized_frames(Memoize("app", ttl=0.1)))
    page.fire("a.data")
    time.sleep(0.2)
    assert page.fire("out.children") == {"out": {"children": 2000}}


def test_stale_result_is_given_at_once_while_one_renews_it(open_page, calls):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize=Memoize("app", ttl=0.2, stale=60))
    def load(n):
        CALLS.append(n)
        if len(CALLS) > 1:
            assert GO_ON.wait(30)
        return {n}

    GO_ON.clear()
    page = open_page(app_with())
    first = page.fire("a.data")
    time.sleep(0.3)
    assert [page.fire("a.data") for _ in range(3)] == [first] * 3
    GO_ON.set()
    limit = time.monotonic() + 30
    while page.fire("a.data") == first and time.monotonic() < limit:
        time.sleep(0.02)
    assert page.fire("a.data") != first


GO_ON = threading.Event()


def test_key_stands_for_the_arguments(open_page, calls):
    memoize = Memoize("app", key=lambda n: n % 2)
    brain_callback(Output("a", "data"), Input("n", "value"), memoize=memoize)(frame)
    page = open_page(app_with())
    first = page.fire("a.data")
    page.props["n"]["value"] = 4
    assert page.fire("a.data") == first
    page.props["n"]["value"] = 5
    assert page.fire("a.data") != first
    assert calls == [2, 5]


@pytest.mark.parametrize("scope", ["app", "session"])
def test_evicted_value_is_computed_again_when_its_token_comes_back(open_page, calls, scope):
    page = open_page(memoized_frames(scope))
    token = page.fire("a.data")["a"]["data"]
    evict()
    assert page.fire("out.children") == {"out": {"children": 2000}}
    assert page.fire("out.children") == {"out": {"children": 2000}}
    assert calls == [2, 2]
    assert page.fire("a.data")["a"]["data"] == token
    evict()
    assert page.fire("a.data")["a"]["data"] == token  # so that other pages' tokens are good again
    assert calls == [2, 2, 2]


def test_evicted_value_is_computed_again_once_for_all_who_ask(open_page, calls):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")
    def slow(n):
        CALLS.append(n)
        time.sleep(0.3)
        return {n}

    @brain_callback(Output("out", "children"), Input("a", "data"))
    def show(a):
        return str(a)

    app = app_with(html.Div(id="out"))
    pages = [open_page(app) for _ in range(6)]
    for page in pages:
        page.fire("a.data")
    evict()
    with ThreadPoolExecutor(6) as pool:
        turns = [pool.submit(page.fire, "out.children") for page in pages]
        assert [turn.result() for turn in turns] == [{"out": {"children": "{2}"}}] * 6
    assert calls == [2, 2]


def keep_nothing(monkeypatch):
    """Leave no room for what is memoized for all."""

    def full(store, namespace, *args, **options):
        if namespace.startswith("memo/"):
            raise StoreFull("no room")
        return put(store, namespace, *args, **options)

    put = type(current.use().store).put
    monkeypatch.setattr(type(current.use().store), "put", full)


@pytest.mark.parametrize("kept", [True, False])
def test_call_with_two_evicted_values_is_made_again_once_if_they_can_be_kept(
    open_page, calls, monkeypatch, kept
):
    @brain_callback(Output("a", "data"), Output("b", "data"), Input("n", "value"), memoize="app")
    def slow(n):
        CALLS.append(n)
        time.sleep(0.3)
        return {n}, [n]

    @brain_callback(Output("out-a", "children"), Input("a", "data"))
    def show_a(a):
        return str(a)

    @brain_callback(Output("out-b", "children"), Input("b", "data"))
    def show_b(b):
        return str(b)

    page = open_page(app_with(html.Div(id="out-a"), html.Div(id="out-b")))
    page.fire("..a.data...b.data..")
    evict()
    if not kept:
        keep_nothing(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(page.fire, f"out-{name}.children") for name in "ab"]
        seen = [turn.result() for turn in turns]
    assert seen == [{"out-a": {"children": "{2}"}}, {"out-b": {"children": "[2]"}}]
    assert calls == [2] * (2 if kept else 3)


def test_evicted_values_that_are_made_of_one_another_are_computed_again(open_page, calls):
    brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(frame)

    @brain_callback(Output("b", "data"), Input("a", "data"), memoize="app")
    async def twice(a):
        CALLS.append("twice")
        return [a, a]

    @brain_callback(Output("out", "children"), Input("b", "data"))
    def show(b):
        return len(b[0]) + len(b[1])

    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data")
    page.fire("b.data")
    evict()
    assert page.fire("out.children") == {"out": {"children": 4000}}
    assert calls == [2, "twice", 2, "twice"]


def chain_of(length, open_page):
    """Return a page that holds the last of so many memoized values, each made of the one before."""
    brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(lambda n: [n])

    @brain_callback(Output("b", "data"), Input("a", "data"), memoize="app")
    def longer(a):
        CALLS.append(len(a))
        return [*a, len(a)]

    @brain_callback(Output("out", "children"), Input("b", "data"))
    def show(b):
        return len(b)

    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data")
    for _ in range(length):
        page.props["a"]["data"] = page.fire("b.data")["b"]["data"]
    evict()
    CALLS.clear()
    return page


def test_long_chain_of_evicted_values_is_computed_again_each_once(open_page, calls):
    page = chain_of(400, open_page)
    assert page.fire("out.children") == {"out": {"children": 401}}
    assert calls == list(range(1, 401))
    assert page.fire("out.children") == {"out": {"children": 401}}
    assert len(calls) == 400


def test_chain_is_computed_again_once_though_nothing_of_it_can_be_kept(open_page, calls, monkeypatch):
    page = chain_of(100, open_page)
    keep_nothing(monkeypatch)
    assert page.fire("out.children") == {"out": {"children": 101}}
    assert calls == list(range(1, 101))


def test_evicted_value_that_two_others_are_made_of_is_computed_again_once(open_page, calls):
    brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(frame)

    @brain_callback(Output("b", "data"), Output("c", "data"), Input("a", "data"), memoize="app")
    def halves(a):
        CALLS.append("halves")
        return a[::2], a[1::2]

    @brain_callback(
        Output("d", "data"), Input("a", "data"), State("b", "data"), State("c", "data"), memoize="app"
    )
    def sizes(a, b, c):
        CALLS.append("sizes")
        a["n"] = b["n"] = 0  # of their own
        return [len(a), len(b), len(c), c["n"].sum()]

    @brain_callback(Output("out", "children"), Input("d", "data"))
    def show(d):
        return str([int(one) for one in d])

    page = open_page(app_with(ServerStore(id="c"), ServerStore(id="d"), html.Div(id="out")))
    for output in ("a.data", "b.data", "d.data"):
        page.fire(output)
    evict()
    calls.clear()
    assert page.fire("out.children") == {"out": {"children": "[2000, 1000, 1000, 1000000]"}}
    assert sorted(map(str, calls)) == ["2", "halves", "sizes"]


def test_value_that_cannot_be_stored_the_second_time_is_missing(open_page, calls):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")
    def moody(n):
        CALLS.append(n)
        return {n} if len(CALLS) == 1 else threading.Lock()

    @brain_callback(Output("out", "children"), Input("a", "data"), on_missing=lambda error: error)
    def show(a):
        return f"{type(a).__name__} {a.reason}"

    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data")
    evict()
    assert page.fire("out.children")["out"]["children"] == "ValueMissing evicted"


def test_small_result_is_given_though_it_cannot_be_remembered(open_page, calls, monkeypatch, caplog):
    @brain_callback(Output("out", "children"), Input("n", "value"), memoize="app")
    def text(n):
        CALLS.append(n)
        time.sleep(0.3)
        return f"{n}"

    app = app_with(html.Div(id="out"))
    pages = [open_page(app) for _ in range(4)]
    put = type(current.use().store).put

    def full(store, namespace, *args, **options):
        if namespace.startswith("recipes/"):
            raise StoreFull("no room")
        return put(store, namespace, *args, **options)

    monkeypatch.setattr(type(current.use().store), "put", full)
    with ThreadPoolExecutor(4) as pool:
        turns = [pool.submit(page.fire, "out.children") for page in pages]
        assert [turn.result() for turn in turns] == [{"out": {"children": "2"}}] * 4
    assert calls == [2]
    assert "is not kept" in caplog.text


def test_evicted_value_without_a_recipe_is_missing(open_page):
    page = open_page(memoized_frames("app"))
    page.fire("a.data")
    evict()
    for one in objects("recipes"):
        current.use().store.delete(*one)
    assert page.post("out.children").status_code == 500


@pytest.mark.parametrize(("length", "status"), [(60_000, 200), (70_000, 500)])
def test_recipe_holds_no_more_than_64_kb_of_arguments(open_page, length, status):
    brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(lambda n: [n])
    brain_callback(Output("b", "data"), Input("a", "data"))(lambda a: a)
    page = open_page(app_with())
    page.props["n"]["value"] = "x" * length
    page.fire("a.data")
    evict()
    assert page.post("b.data").status_code == status


def test_nothing_is_kept_for_an_argument_that_is_gone(open_page, calls):
    brain_callback(Output("a", "data"), Input("n", "value"))(lambda n: {n})

    @brain_callback(Output("b", "data"), Input("a", "data"), memoize="app", on_missing="empty")
    def copied(a):
        CALLS.append(a)
        return [a]

    page = open_page(app_with())
    page.fire("a.data")
    for one in objects("session"):
        current.use().store.delete(*one)
    page.fire("b.data"), page.fire("b.data")
    assert calls == [None, None]
    assert objects("memo") == objects("recipes") == []


@pytest.mark.parametrize("error", [ValueError, PreventUpdate, ValueMissing])
def test_exceptions_come_out_and_are_not_kept(open_page, calls, error):
    seen = []

    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="app", on_error=seen.append)
    def fails(n):
        CALLS.append(n)
        raise error("of the callback")

    page = open_page(app_with())
    page.post("a.data"), page.post("a.data")
    assert len(calls) == 2
    assert [type(one) for one in seen] == ([] if error is PreventUpdate else [error] * 2)


@pytest.mark.parametrize("memoize", ["user", 1, True])
def test_unknown_scope_is_refused_when_the_callback_is_declared(memoize):
    with pytest.raises((ValueError, TypeError), match="app"):
        brain_callback(Output("a", "data"), Input("n", "value"), memoize=memoize)


def test_memoized_function_stays_a_plain_function(calls):
    function = brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(frame)
    assert function is frame


def test_session_brain_keeps_results_for_the_session_that_asks(open_page, calls):
    @session_brain.memoize()
    def square(x):
        CALLS.append(x)
        return x * x

    @brain_callback(Output("b", "data"), Input("n", "value"), State("a", "data"))
    def show(n, a):
        return to_token(square(n))

    app = app_with()
    page, other = open_page(app), open_page(app)
    page.fire("b.data"), page.fire("b.data"), other.fire("b.data")
    assert calls == [2, 2]
    [one, two] = objects("session-memo")
    assert one[0] != two[0]
    store = current.use().store
    assert store.info(*one).expires is not None
    remove_session(store, one[0].partition("/")[2])
    assert objects("session-memo") == [two]


def test_ended_session_leaves_nothing_memoized(open_page):
    page = open_page(memoized_frames("session"))
    page.fire("a.data")
    [(namespace, _)] = objects("session-memo")
    store = current.use().store
    assert store.info(*objects("session-memo")[0]).expires is not None
    assert store.info(*objects("session-recipes")[0]).expires is not None
    remove_session(store, namespace.partition("/")[2])
    assert objects("session-memo") == objects("session-recipes") == []
    assert page.post("out.children").status_code == 500


# -- what must never be taken for something else -----------------------------------------------------


def test_arguments_that_change_places_are_other_arguments(open_page):
    def text(**given):
        return "{a}-{b}".format(**given)

    inputs = {"a": Input("n", "value"), "b": Input("m", "value")}
    crossed = {"a": Input("m", "value"), "b": Input("n", "value")}
    brain_callback(Output("one", "children"), inputs=inputs, memoize="app")(text)
    brain_callback(Output("two", "children"), inputs=crossed, memoize="app")(text)
    page = open_page(app_with(dcc.Input(id="m", value=7), html.Div(id="one"), html.Div(id="two")))
    assert page.fire("one.children")["one"]["children"] == "2-7"
    assert page.fire("two.children")["two"]["children"] == "7-2"


def test_one_function_may_fill_a_server_store_and_another_component(open_page):
    def copied(n):
        return [n]

    brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(copied)
    brain_callback(Output("plain", "data"), Input("n", "value"), memoize="app")(copied)
    page = open_page(app_with(dcc.Store(id="plain")))
    assert page.fire("a.data")["a"]["data"].startswith("db1.")
    assert page.fire("plain.data")["plain"]["data"] == [2]


def test_pages_with_more_stores_have_results_of_their_own(open_page):
    many = Output({"part": ALL}, "data")

    @brain_callback(many, Input("n", "value"), State("b", "storage_type"), memoize="app")
    def each(n, _):
        return [{n}] * len(dash.ctx.outputs_list)

    page = open_page(app_with(*[ServerStore(id={"part": number}) for number in range(2)]))
    assert len(page.fire('{"part":["ALL"]}.data')) == 2
    del page.props['{"part":1}']
    assert len(page.fire('{"part":["ALL"]}.data')) == 1


@pytest.mark.parametrize("outputs", [[], [{"id": "a", "property": "data"}], {"id": "b", "property": "data"}])
def test_request_for_other_outputs_computes_and_keeps_nothing(open_page, calls, outputs):
    page = open_page(memoized_frames("app"))
    assert page.post("a.data", output_ids=outputs).status_code == 500
    assert calls == []
    assert objects("memo") == objects("recipes") == []


def test_result_for_a_value_of_the_session_is_the_sessions(open_page):
    brain_callback(Output("a", "data"), Input("n", "value"))(lambda n: {n})
    brain_callback(Output("b", "data"), Input("a", "data"), memoize="app")(lambda a: [a])
    page = open_page(app_with())
    page.fire("a.data"), page.fire("b.data")
    assert objects("memo") == objects("recipes") == []
    assert len(objects("session-memo")) == len(objects("session-recipes")) == 1


def test_token_is_no_result_of_a_memoized_callback(open_page):
    brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(lambda n: to_token(n))
    assert open_page(app_with()).post("a.data").status_code == 500
    assert objects("memo") == []


def test_failing_callback_leaves_nothing_of_what_it_had_stored(open_page):
    @brain_callback(Output("a", "data"), Output("b", "data"), Input("n", "value"), memoize="app")
    def half(n):
        return {n}, threading.Lock()

    assert open_page(app_with()).post("a.data").status_code == 500
    assert objects("memo") == objects("recipes") == []


@pytest.mark.parametrize("now", [None, no_update])
def test_value_that_comes_out_as_none_the_second_time_is_missing(open_page, calls, now):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")
    def moody(n):
        CALLS.append(n)
        return {n} if len(CALLS) == 1 else now

    @brain_callback(Output("out", "children"), Input("a", "data"), on_missing=lambda error: error)
    def show(a):
        return type(a).__name__

    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data")
    evict()
    assert page.fire("out.children")["out"]["children"] == "ValueMissing"


def test_on_missing_takes_what_cannot_be_computed_again(open_page, calls):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")
    def once(n):
        CALLS.append(n)
        return {n: 1 / (2 - len(CALLS))}

    @brain_callback(Output("out", "children"), Input("a", "data"), on_missing="empty")
    def show(a):
        return str(a)

    page = open_page(app_with(html.Div(id="out")))
    page.fire("a.data")
    evict()
    assert page.fire("out.children")["out"]["children"] == "None"


def test_token_from_before_a_renewal_does_not_compute_again_and_again(open_page, calls):
    page = open_page(memoized_frames(Memoize("app", ttl=0.2)))
    old = page.fire("a.data")["a"]["data"]
    time.sleep(0.3)
    assert page.fire("a.data")["a"]["data"] != old
    evict()
    page.props["a"]["data"] = old
    assert page.post("out.children").status_code == 500
    assert calls == [2, 2]


def test_recomputing_shows_nothing_of_the_callback_that_asks(open_page):
    @brain_callback(Output("a", "data"), Input("n", "value"), memoize="session")
    def talks(n):
        if dash.callback_context.triggered is not None:
            dash.set_props("said", {"children": "side effect"})
        return {n}

    @brain_callback(Output("out", "children"), Input("a", "data"), on_missing="empty")
    def show(a):
        return str(a)

    page = open_page(app_with(html.Div(id="out"), html.Div(id="said")))
    page.fire("a.data")
    evict()
    assert set(page.fire("out.children")) == {"out"}


def test_results_of_a_session_stay_within_its_quota(open_page):
    configure(session_quota=300_000)
    brain_callback(Output("out", "children"), Input("n", "value"), memoize="session")(lambda n: "x" * 50_000)
    page = open_page(app_with(html.Div(id="out")))
    for number in range(20):
        page.props["n"]["value"] = number
        page.fire("out.children")
    store = current.use().store
    assert 0 < sum(store.info(*one).nbytes for one in objects("session-recipes")) <= 300_000


# -- forgetting --------------------------------------------------------------------------------------


def forgetting_app(forget):
    app = app_with(dcc.Input(id="m", value=0), html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input("m", "value"))
    def forget_it(m):
        return forget()

    return app


def test_results_are_forgotten_one_by_one_or_all(open_page, calls):
    load = brain_callback(Output("a", "data"), Input("n", "value"), memoize="app")(frame)
    forget = [lambda: load.forget(3), lambda: load.forget(2), load.forget_all, lambda: list(load.info())]
    page = open_page(forgetting_app(lambda: forget.pop(0)()))
    page.fire("a.data")
    for computed in ([2], [2, 2], [2, 2, 2]):
        page.fire("out.children")
        page.fire("a.data")
        assert calls == computed
    hits, misses, size, nbytes = page.fire("out.children")["out"]["children"]
    assert (hits, misses, size) == (1, 3, 1)
    assert nbytes > 16_000


def test_forgetting_knows_arguments_by_name_and_key(open_page, calls):
    def total(first, second):
        CALLS.append((first, second))
        return first + second

    inputs = {"second": Input("b", "storage_type"), "first": Input("n", "value")}
    add = brain_callback(Output("said", "children"), inputs=inputs, memoize="session")(
        lambda first, second: total(str(first), second)
    )
    app = forgetting_app(lambda: add.forget(second="memory", first=2))
    app.layout.children.append(html.Div(id="said"))
    page = open_page(app)
    (
        page.fire("said.children"),
        page.fire("said.children"),
        page.fire("out.children"),
        page.fire("said.children"),
    )
    assert calls == [("2", "memory")] * 2


def test_sessions_forget_nothing_of_one_another(open_page, calls):
    load = brain_callback(Output("a", "data"), Input("n", "value"), memoize="session")(frame)
    app = forgetting_app(load.forget_all)
    page, other = open_page(app), open_page(app)
    page.fire("a.data"), other.fire("a.data"), page.fire("out.children")
    other.fire("a.data")
    assert calls == [2, 2]
    page.fire("a.data")
    assert calls == [2, 2, 2]


def factor():
    return 2


def test_helper_that_is_replaced_makes_another_callback(open_page, calls, monkeypatch):
    @brain_callback(Output("out", "children"), Input("n", "value"), memoize="app")
    def times(n):
        CALLS.append(n)
        return factor() * n

    page = open_page(app_with(html.Div(id="out")))
    assert [page.fire("out.children")["out"]["children"] for _ in range(2)] == [4, 4]
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "factor", lambda: 100)
        assert [page.fire("out.children")["out"]["children"] for _ in range(2)] == [200, 200]
    assert page.fire("out.children")["out"]["children"] == 4
    assert len(calls) == 2


def test_callback_that_counts_in_a_closure_is_said_once(open_page, caplog):
    times = 0

    @brain_callback(Output("out", "children"), Input("n", "value"), memoize="app")
    def count(n):
        nonlocal times
        times += 1
        return times

    page = open_page(app_with(html.Div(id="out")))
    assert [page.fire("out.children")["out"]["children"] for _ in range(4)] == [1, 2, 3, 4]
    assert caplog.text.count("computed at each call") == 1
