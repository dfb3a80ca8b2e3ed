"""What ``brain_callback`` does with values, in every form of signature that Dash has."""

from __future__ import annotations

import inspect
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dash
import numpy as np
import pandas as pd
import pytest
from dash import ALL, ALLSMALLER, MATCH, Input, Output, Patch, State, ctx, dash_table, dcc, html, no_update

from dash_brain import ServerOutput, ServerStore, Token, brain_callback, from_token, set_props, to_token
from dash_brain.errors import BadToken, BrainError, EncodeError, ValueMissing
from tests.app.conftest import of_flask

FRAME = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=1000), "total": np.arange(1000.0)})


def app_with(*layout: Any, **options: Any) -> dash.Dash:
    app = dash.Dash("test", **options)
    app.layout = html.Div(list(layout))
    return app


def is_token(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("db1.") and len(value) < 100


def test_a_frame_goes_from_callback_to_callback_and_the_page_holds_a_short_token(open_page):
    app = app_with(dcc.Input(id="year", value=3), ServerStore(id="orders"), html.Div(id="out"))
    got = []

    @brain_callback(Output("orders", "data"), Input("year", "value"))
    def load(year):
        return FRAME * 1 if year is None else FRAME.assign(year=year)

    @brain_callback(Output("out", "children"), Input("orders", "data"))
    def show(orders):
        got.append(orders)
        return len(orders)

    page = open_page(app)
    page.fire("orders.data")
    assert is_token(page.props["orders"]["data"])
    assert page.fire("out.children") == {"out": {"children": 1000}}
    pd.testing.assert_frame_equal(got[0], FRAME.assign(year=3))
    assert len(page.request_body) < 1000


@of_flask  # the others set an app up in the one thread of their event loop
def test_requests_that_come_while_an_app_is_set_up_wait_for_its_callbacks():
    app = dash.Dash("test")

    def layout():
        time.sleep(0.3)  # Dash makes a layout when it sets an app up
        return html.Div([ServerStore(id="orders"), dcc.Input(id="year", value=3)])

    @brain_callback(Output("orders", "data"), Input("year", "value"))
    def load(year):
        return FRAME

    app.layout = layout
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(app.server.test_client().get, "/_dash-dependencies")
        second = pool.submit(app.server.test_client().get, "/_dash-dependencies")
    found = [[one["output"] for one in asked.result().json] for asked in (first, second)]
    assert found[0] == found[1]
    assert "orders.data" in found[0]


def test_the_decorator_returns_the_plain_function(open_page):
    @brain_callback(Output("orders", "data"), Input("year", "value"))
    def load(year):
        return FRAME

    assert load(1) is FRAME


def test_an_async_callback_takes_and_returns_values(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n", value=2))

    @brain_callback(Output("a", "data"), Input("n", "value"))
    async def first(n):
        return (n, {n})

    @brain_callback(Output("b", "data"), Input("a", "data"))
    async def second(a):
        assert a == (2, {2})
        return [a]

    page = open_page(app)
    page.fire("a.data")
    page.fire("b.data")
    assert is_token(page.props["b"]["data"])


def test_positional_inputs_and_states_may_be_mixed(open_page):
    app = app_with(ServerStore(id="a", data=(1, 2)), dcc.Input(id="n", value=5), html.Div(id="out"))

    @brain_callback(
        Output("out", "children"), Input("n", "value"), State("a", "data"), Input("a", "storage_type")
    )
    def show(n, a, kind):
        return f"{n} {a!r} {kind}"

    assert open_page(app).fire("out.children") == {"out": {"children": "5 (1, 2) memory"}}


def test_lists_of_dependencies_work_as_in_older_dash(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n", value=5))

    @brain_callback([Output("a", "data"), Output("b", "data")], [Input("n", "value")], [State("a", "data")])
    def both(n, a):
        return [{n}, no_update]

    page = open_page(app)
    changes = page.fire("a.data")
    assert set(changes) == {"a"}
    assert is_token(changes["a"]["data"])


def test_dicts_and_nested_groupings_reach_the_function_by_name(open_page):
    app = app_with(
        ServerStore(id="a", data={1}), ServerStore(id="b"), dcc.Input(id="n", value=5), html.Div(id="out")
    )
    seen = {}

    @brain_callback(
        output={"text": Output("out", "children"), "kept": Output("b", "data")},
        inputs={"pair": (Input("a", "data"), Input("n", "value")), "deep": {"again": State("a", "data")}},
    )
    def show(pair, deep):
        seen.update(pair=pair, deep=deep, grouping=ctx.args_grouping)
        return {"text": "done", "kept": {"big": FRAME}}

    page = open_page(app)
    changes = page.fire("b.data", trigger="a.data")
    assert list(seen["pair"]) == [{1}, 5]
    assert seen["deep"] == {"again": {1}}
    assert seen["grouping"].pair[0].value is seen["pair"][0]
    assert seen["grouping"].pair[0].triggered
    assert changes["out"] == {"children": "done"}
    assert is_token(changes["b"]["data"])


def test_one_token_in_two_arguments_is_resolved_once(open_page):
    app = app_with(ServerStore(id="a", data=[1]), html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input("a", "data"), State("a", "data"))
    def same(one, two):
        return str(one is two)

    assert open_page(app).fire("out.children")["out"]["children"] == "True"


def test_what_was_sent_holds_no_value_after_the_request(open_page):
    app = app_with(ServerStore(id="a", data=[1]), ServerStore(id="b", data={2}), html.Div(id="out"))
    sent = []

    @brain_callback(Output("out", "children"), Input("a", "data"), State("b", "data"))
    def look(a, b):
        sent.extend([*ctx.inputs_list, *ctx.states_list])
        return str([one["value"] for one in sent])

    assert open_page(app).fire("out.children")["out"]["children"] == "[[1], {2}]"
    assert [one["value"] for one in sent] == [None, None]


def test_dash_ctx_shows_the_very_objects_of_the_arguments(open_page):
    app = app_with(ServerStore(id="a", data=[1]), ServerStore(id="b", data={2}), html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input("a", "data"), State("b", "data"))
    def look(a, b):
        assert ctx.inputs == {"a.data": a}
        assert ctx.inputs["a.data"] is a
        assert ctx.states["b.data"] is b
        assert ctx.triggered == [{"prop_id": "a.data", "value": a}]
        assert ctx.triggered[0]["value"] is a
        assert ctx.triggered_id == "a"
        assert ctx.inputs_list[0]["value"] is a
        assert ctx.states_list[0]["value"] is b
        assert ctx.args_grouping[1].value is b
        return "ok"

    assert open_page(app).fire("out.children", trigger="a.data")["out"]["children"] == "ok"


def test_wildcards_collect_values(open_page):
    stores = [ServerStore(id={"kind": "part", "index": i}, data=(i,)) for i in range(3)]
    app = app_with(*stores, html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input({"kind": "part", "index": ALL}, "data"))
    def collect(parts):
        return repr(parts)

    assert open_page(app).fire("out.children")["out"]["children"] == "[(0,), (1,), (2,)]"


def test_match_and_allsmaller_resolve_concrete_ids(open_page):
    ids = [{"kind": "part", "index": i} for i in range(2)]
    app = app_with(
        *[ServerStore(id=i, data=(i["index"],)) for i in ids],
        *[html.Div(id={**i, "kind": "out"}) for i in ids],
    )
    seen = []

    @brain_callback(
        Output({"kind": "out", "index": MATCH}, "children"),
        Input({"kind": "part", "index": MATCH}, "data"),
        State({"kind": "part", "index": ALLSMALLER}, "data"),
    )
    def show(part, smaller):
        seen.append((part, smaller))
        return "ok"

    page = open_page(app)
    token = page.props['{"index":1,"kind":"part"}']["data"]
    smaller = page.props['{"index":0,"kind":"part"}']["data"]
    body = {
        "output": '{"index":["MATCH"],"kind":"out"}.children',
        "outputs": {"id": {**ids[1], "kind": "out"}, "property": "children"},
        "inputs": [{"id": ids[1], "property": "data", "value": token}],
        "state": [[{"id": ids[0], "property": "data", "value": smaller}]],
        "changedPropIds": [],
    }
    response = page.client.post("/_dash-update-component", json=body)
    assert response.status_code == 200, response.text
    assert seen == [((1,), [(0,)])]


def test_outputs_with_wildcards_get_a_token_each(open_page):
    app = app_with(
        *[ServerStore(id={"kind": "part", "index": i}) for i in range(3)], dcc.Input(id="n", value=1)
    )

    @brain_callback(Output({"kind": "part", "index": ALL}, "data"), Input("n", "value"))
    def spread(n):
        return [{0}, no_update, None]

    changes = open_page(app).fire('{"index":["ALL"],"kind":"part"}.data')
    assert is_token(changes['{"index":0,"kind":"part"}']["data"])
    assert '{"index":1,"kind":"part"}' not in changes
    assert changes['{"index":2,"kind":"part"}'] == {"data": None}


def test_no_update_and_none_are_left_alone(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))
    results = [no_update, None]

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def answer(n):
        return results.pop(0)

    page = open_page(app)
    assert not page.fire("a.data")
    assert page.fire("a.data") == {"a": {"data": None}}


def test_the_same_store_is_input_and_output(open_page):
    app = app_with(ServerStore(id="a", data=[1]), dcc.Input(id="n", value=1))

    @brain_callback(Output("a", "data"), Input("n", "value"), State("a", "data"))
    def add(n, a):
        a.append(n)
        return a

    page = open_page(app)
    first = page.props["a"]["data"]
    page.fire("a.data")
    page.fire("a.data")
    with page.client:
        page.get("_dash-layout")
        assert from_token(page.props["a"]["data"]) == [1, 1, 1]
        assert from_token(first) == [1]


def test_allow_duplicate_outputs_are_stores_too(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1), dcc.Input(id="m", value=1))

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def one(n):
        return {1}

    @brain_callback(Output("a", "data", allow_duplicate=True), Input("m", "value"), prevent_initial_call=True)
    def two(m):
        return {2}

    page = open_page(app)
    duplicate = next(one["output"] for one in page.dependencies if "@" in one["output"])
    changes = page.fire(duplicate)
    assert is_token(changes["a"]["data"])


def test_a_component_may_stand_for_its_id(open_page):
    store, out = ServerStore(id="auto"), html.Div()
    app = app_with(store, out, dcc.Input(id="n", value=1))

    @brain_callback(Output(store, "data"), Input("n", "value"))
    def put(n):
        return {n}

    @brain_callback(Output(out, "children"), Input(store, "data"))
    def show(value):
        return repr(value)

    page = open_page(app)
    page.fire("auto.data")
    assert page.fire(f"{out.id}.children")[out.id]["children"] == "{1}"


def test_modified_timestamp_with_state_works_as_with_dcc_store(open_page):
    app = app_with(ServerStore(id="a", data={1}), html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input("a", "modified_timestamp"), State("a", "data"))
    def show(stamp, value):
        return f"{stamp} {value}"

    assert open_page(app).fire("out.children")["out"]["children"] == "None {1}"


def test_an_optional_input_may_be_absent(open_page):
    app = app_with(ServerStore(id="a"), html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input("absent", "data", allow_optional=True))
    def show(value):
        return repr(value)

    assert open_page(app).fire("out.children")["out"]["children"] == "None"


@pytest.mark.filterwarnings("ignore:\\s*The dash_table.DataTable")
def test_tables_and_plain_stores_in_the_same_callback_are_untouched(open_page):
    rows = [{"a": 1}]
    app = app_with(
        ServerStore(id="kept", data=(1,)),
        dcc.Store(id="plain", data={"x": 1}),
        dash_table.DataTable(id="table", data=rows),
        html.Div(id="out"),
    )

    @brain_callback(
        Output("table", "data"),
        Output("plain", "data"),
        Output("kept", "data"),
        Input("kept", "data"),
        State("plain", "data"),
        State("table", "data"),
    )
    def all_three(kept, plain, table):
        assert (kept, plain, table) == ((1,), {"x": 1}, rows)
        return [{"a": 2}], {"x": 2}, {3}

    changes = open_page(app).fire("table.data")
    assert changes["table"]["data"] == [{"a": 2}]
    assert changes["plain"]["data"] == {"x": 2}
    assert is_token(changes["kept"]["data"])


def test_side_updates_of_set_props_are_swapped_in_both_forms(open_page):
    app = app_with(
        ServerStore(id="a"),
        ServerStore(id={"k": 1}),
        dcc.Store(id="plain"),
        dcc.Input(id="n", value=1),
        html.Div(id="out"),
    )

    @brain_callback(Output("out", "children"), Input("n", "value"))
    def ours(n):
        dash.set_props("a", {"data": {1}, "clear_data": False})
        ctx.set_props({"k": 1}, {"data": FRAME})
        dash.set_props("plain", {"data": {"x": 1}})
        return "ok"

    changes = open_page(app).fire("out.children")
    assert is_token(changes["a"]["data"])
    assert changes["a"]["clear_data"] is False
    assert is_token(changes['{"k":1}']["data"])
    assert changes["plain"]["data"] == {"x": 1}


@pytest.mark.parametrize("value", [Patch(), lambda: None], ids=["a patch", "what cannot be stored"])
def test_on_error_answers_when_set_props_was_given_what_no_store_takes(open_page, value):
    app, told = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1), html.Div(id="out")), []

    def handle(error):
        told.append(error)
        return "handled"

    @brain_callback(Output("out", "children"), Input("n", "value"), on_error=handle)
    def ours(n):
        dash.set_props("a", {"data": value})
        return "ok"

    assert open_page(app).fire("out.children") == {"out": {"children": "handled"}}
    assert isinstance(told[0], TypeError)


def test_a_callback_without_outputs_sets_props(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))

    @brain_callback(Input("n", "value"))
    def put(n):
        dash.set_props("a", {"data": {n}})

    page = open_page(app)
    assert is_token(page.fire(page.dependencies[0]["output"], output_ids=[])["a"]["data"])


def test_plain_callbacks_use_to_token_from_token_and_set_props(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n", value=1), html.Div(id="out"))

    @dash.callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        set_props("b", {"data": {n}})
        return to_token((n,))

    @dash.callback(Output("out", "children"), Input("a", "data"), State("b", "data"))
    def show(a, b):
        return f"{from_token(a)} {from_token(b)}"

    page = open_page(app)
    page.fire("a.data")
    assert page.fire("out.children")["out"]["children"] == "(1,) {1}"


def test_a_token_passes_through_a_brain_callback(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))
    minted = []

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        minted.append(to_token({n}))
        return minted[0]

    assert open_page(app).fire("a.data")["a"]["data"] == str(minted[0])
    assert type(minted[0]) is Token


def test_a_string_that_looks_like_a_token_is_a_value_like_any_other(open_page):
    app = app_with(
        ServerStore(id="a"), ServerStore(id="b", data={1}), dcc.Input(id="typed"), html.Div(id="out")
    )

    @brain_callback(Output("a", "data"), Input("typed", "value"))
    def keep(typed):
        return typed

    @brain_callback(Output("out", "children"), Input("a", "data"))
    def show(a):
        return a

    page = open_page(app)
    real_token = page.props["b"]["data"]
    page.props["typed"]["value"] = real_token
    page.fire("a.data")
    assert page.props["a"]["data"] != real_token
    assert page.fire("out.children")["out"]["children"] == real_token


@pytest.mark.parametrize("posted", [{"a": 1}, [1, 2], 5, True, "text", "db1.short", "", 0, False])
def test_json_in_place_of_a_token_is_refused(open_page, posted):
    app = app_with(ServerStore(id="a"), html.Div(id="out"))
    errors = []

    @brain_callback(
        Output("out", "children"), Input("a", "data"), on_error=lambda error: errors.append(error)
    )
    def show(a):
        raise AssertionError("never called with what a client made up")

    page = open_page(app)
    page.props["a"]["data"] = posted
    page.post("out.children")
    assert [type(error) for error in errors] == [BadToken]


def test_a_patch_on_a_server_store_says_what_to_do(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))
    errors = []

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        return Patch()

    app._on_error = errors.append
    open_page(app).post("a.data")
    assert isinstance(errors[0], TypeError)
    assert "State" in str(errors[0])


def test_what_cannot_be_stored_reaches_on_error_and_nothing_is_kept(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n", value=1))
    errors = []

    @brain_callback(Output("a", "data"), Output("b", "data"), Input("n", "value"), on_error=errors.append)
    def put(n):
        return FRAME, {"f": lambda: 1}

    page = open_page(app)
    page.post("a.data")
    assert isinstance(errors[0], EncodeError)
    assert "value['f']" in str(errors[0])
    from dash_brain.settings import current

    assert [n for n in current.use().store.namespaces("session") if list(current.use().store.scan(n))] == []


def test_the_result_of_on_error_goes_the_same_way(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))

    @brain_callback(Output("a", "data"), Input("n", "value"), on_error=lambda error: {"instead": str(error)})
    def fail(n):
        raise RuntimeError("no")

    page = open_page(app)
    assert is_token(page.fire("a.data")["a"]["data"])


def test_the_apps_own_on_error_goes_the_same_way(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1), on_error=lambda error: {1, 2})

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def fail(n):
        raise RuntimeError("no")

    assert is_token(open_page(app).fire("a.data")["a"]["data"])


@of_flask
def test_an_error_without_handler_is_the_users_own(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def fail(n):
        raise LookupError("mine")

    page = open_page(app)
    app.server.testing = True
    with pytest.raises(LookupError, match="mine"):
        page.post("a.data")


#: Arguments that change nothing of what is exchanged; those of newer releases are left out with older ones.
OF_DASH = {
    "hidden": True,
    "optional": True,
    "persistent": True,
    "mcp_enabled": True,
    "mcp_expose_docstring": False,
    "compress_payload": True,
    "compress_threshold": 1,
    "running": [(Output("out", "title"), "running", "idle")],
}


def test_values_are_exchanged_whatever_else_dash_is_told(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=3), html.Div(id="out"))
    options = {name: OF_DASH[name] for name in OF_DASH.keys() & inspect.signature(dash.callback).parameters}
    options["prevent_initial_call"] = True
    assert len(options) > 6
    brain_callback(Output("a", "data"), Input("n", "value"), **options)(lambda n: {n})
    brain_callback(Output("out", "children"), Input("a", "data"), **options)(lambda a: repr(a))
    page = open_page(app)
    assert {one["prevent_initial_call"] for one in page.dependencies} == {True}
    assert page.fire("a.data")["a"]["data"].startswith("db1.")
    assert page.fire("out.children")["out"]["children"] == "{3}"


@pytest.mark.parametrize("way", ["raise", "empty", "prevent", "function"])
def test_a_value_that_is_gone_follows_on_missing(open_page, way):
    app = app_with(ServerStore(id="a", data={1}), html.Div(id="out"))
    on_missing = (lambda error: type(error)) if way == "function" else way
    seen, errors = [], []

    @brain_callback(
        Output("out", "children"), Input("a", "data"), on_missing=on_missing, on_error=errors.append
    )
    def show(a):
        seen.append(a)
        return "ran"

    page = open_page(app)
    with page.client:
        page.get("_dash-layout")
        from dash_brain.settings import current
        from dash_brain.web.sessions import current_caller

        current.use().store.drop(current_caller().namespace("session"))
    response = page.post("out.children")
    assert seen == {"raise": [], "empty": [None], "prevent": [], "function": [ValueMissing]}[way]
    assert [type(error) for error in errors] == ([ValueMissing] if way == "raise" else [])
    assert response.status_code == (204 if way == "prevent" else 200)


def test_initial_data_is_stored_once_for_equal_content(open_page):
    app = app_with(ServerStore(id="a", data=FRAME))
    page = open_page(app)
    first = page.props["a"]["data"]
    assert is_token(first)
    page.hold(page.get("_dash-layout").json)
    assert page.props["a"]["data"] == first
    assert first not in page.index.text


def test_callbacks_without_inputs_and_outputs_get_names_of_their_own(open_page):
    app_with(ServerStore(id="a"))

    @brain_callback()
    def one():
        return None

    @brain_callback()
    def two():
        return None

    from dash import _callback

    assert len(_callback.GLOBAL_CALLBACK_LIST) == 2
    assert len(_callback.GLOBAL_CALLBACK_MAP) == 2


def test_a_callback_registered_with_its_app_runs_in_that_app(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    def put(n):
        return {n}

    assert is_token(open_page(app).fire("a.data")["a"]["data"])


def test_server_output_declares_a_store_that_no_page_has_shown(open_page):
    app = app_with(dcc.Input(id="n", value=1), html.Div(id="out"), suppress_callback_exceptions=True)

    @brain_callback(ServerOutput("hidden"), Input("n", "value"))
    def put(n):
        return {n}

    @brain_callback(Output("out", "children"), Input("hidden", "data"))
    def show(value):
        return repr(value)

    page = open_page(app)
    assert is_token(page.fire("hidden.data")["hidden"]["data"])
    assert page.fire("out.children")["out"]["children"] == "{1}"


def test_nothing_of_the_value_is_in_the_answer(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1))

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        return {"password": "swordfish"}

    answer = open_page(app).post("a.data")
    assert "swordfish" not in json.dumps(answer.json)
    assert len(answer.data) < 1000


def body_of(page, inputs, outputs=None):
    return {
        "output": "out.children",
        "outputs": outputs or {"id": "out", "property": "children"},
        "inputs": inputs,
        "state": [],
        "changedPropIds": [],
    }


@pytest.mark.parametrize(
    "leaf",
    [
        {"id": "other", "property": "data", "value": {"made": "up"}},
        {"id": "a", "property": "value", "value": {"made": "up"}},
        {"id": ["a"], "property": "data", "value": {"made": "up"}},
        {"id": None, "property": "data", "value": {"made": "up"}},
        {"id": {"a": [1]}, "property": "data", "value": {"made": "up"}},
        {"property": "data", "value": {"made": "up"}},
        [{"id": "other", "property": "data", "value": {"made": "up"}}],
        "a",
        None,
    ],
)
def test_what_a_client_sends_is_held_against_what_was_declared(open_page, leaf):
    app = app_with(ServerStore(id="a"), html.Div(id="out"))
    got = []

    @brain_callback(Output("out", "children"), Input("a", "data"))
    def show(a):
        got.append(a)
        return "ran"

    page = open_page(app)
    response = page.client.post("/_dash-update-component", json=body_of(page, [leaf]))
    assert response.status_code == 500
    assert got == []


def test_an_id_that_nobody_was_sent_is_a_store_when_its_pattern_is(open_page):
    app = app_with(ServerStore(id={"part": 1}), dcc.Input(id={"in": 1}, value=1), html.Div(id="out"))
    got = []

    @brain_callback(Output({"part": MATCH}, "data"), Input({"in": MATCH}, "value"))
    def put(value):
        return {"secret": "stays on the server"}

    @brain_callback(Output("out", "children"), Input({"part": ALL}, "data"))
    def show(parts):
        got.append(parts)

    page = open_page(app)
    body = {
        "output": '{"part":["MATCH"]}.data',
        "outputs": {"id": {"part": 4242}, "property": "data"},
        "inputs": [{"id": {"in": 4242}, "property": "value", "value": 1}],
        "state": [],
        "changedPropIds": [],
    }
    answer = page.client.post("/_dash-update-component", json=body).json
    assert is_token(answer["response"]['{"part":4242}']["data"])
    leaf = {"id": {"part": 4242}, "property": "data", "value": {"made": "up"}}
    assert page.client.post("/_dash-update-component", json=body_of(page, [[leaf]])).status_code == 500
    assert got == []


@pytest.mark.filterwarnings("ignore:\\s*The dash_table.DataTable")
def test_tables_with_wildcard_ids_are_untouched(open_page):
    app = app_with(
        ServerStore(id={"part": 1}),
        dash_table.DataTable(id={"table": 1}, data=[{"a": 1}]),
        dcc.Input(id="n", value=1),
    )

    @brain_callback(Output({"table": ALL}, "data"), Input("n", "value"), State({"table": ALL}, "data"))
    def grow(n, tables):
        return [[*table, {"a": n}] for table in tables]

    changes = open_page(app).fire('{"table":["ALL"]}.data')
    assert changes['{"table":1}']["data"] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("level", ["callback", "app"])
def test_an_error_handler_that_returns_nothing_changes_nothing(open_page, level):
    seen = []
    handler = {"on_error": seen.append}
    app = app_with(
        ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n"), **handler if level == "app" else {}
    )
    options = handler if level == "callback" else {}

    @brain_callback(Output("a", "data"), Output("b", "data"), Input("n", "value"), **options)
    def fail(n):
        raise RuntimeError("no")

    assert not open_page(app).fire("a.data")
    assert len(seen) == 1


def test_props_set_before_an_error_that_was_handled_still_arrive(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n"), html.Div(id="out"))

    @brain_callback(Output("b", "data"), Input("n", "value"), on_error=lambda error: None)
    def put(n):
        dash.set_props("a", {"data": {1}})
        return lambda: "cannot be stored"

    @brain_callback(Output("out", "children"), Input("a", "data"))
    def show(a):
        return repr(a)

    page = open_page(app)
    page.fire("b.data")
    assert page.fire("out.children")["out"]["children"] == "{1}"


@of_flask
def test_a_result_that_does_not_fit_the_outputs_is_dashs_error(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n"))
    app.server.testing = True

    @brain_callback(Output("a", "data"), Output("b", "data"), Input("n", "value"))
    def put(n):
        return [1, 2, 3]

    with pytest.raises(dash.exceptions.InvalidCallbackReturnValue):
        open_page(app).post("a.data")


@of_flask
def test_a_layout_with_what_cannot_be_stored_says_so(open_page):
    app = app_with(dcc.Input(id="n"), html.Div(id="out"))
    errors = []

    @brain_callback(Output("out", "children"), Input("n", "value"))
    def build(n):
        return ServerStore(id="new", data={"f": lambda: 1})

    app.server.testing = True
    with pytest.raises(BrainError, match=r"value\['f'\]") as error:
        open_page(app).post("out.children")
    assert not isinstance(error.value, TypeError)
    assert errors == []


def test_one_token_in_two_stores_is_resolved_once(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n"), html.Div(id="out"))

    @brain_callback(Output("a", "data"), Output("b", "data"), Input("n", "value"))
    def put(n):
        shared = [1]
        return shared, shared

    @brain_callback(Output("out", "children"), Input("a", "data"), Input("b", "data"))
    def same(a, b):
        return str(a is b)

    page = open_page(app)
    page.fire("a.data")
    assert page.props["a"]["data"] == page.props["b"]["data"]
    assert page.fire("out.children")["out"]["children"] == "True"


def test_an_api_endpoint_sees_nothing_of_an_async_callback_before_it(open_page):
    app = app_with(ServerStore(id="a"), ServerStore(id="b"), dcc.Input(id="n", value=2), html.Div(id="out"))

    @brain_callback(Output("a", "data"), Input("n", "value"))
    async def first(n):
        return {n}

    @brain_callback(Output("b", "data"), Input("n", "value"), api_endpoint="/api/double")
    def double(n):
        return 2 * n

    @brain_callback(Output("out", "children"), Input("b", "data"))
    def show(b):
        return b

    app.setup_apis()
    page = open_page(app)
    page.fire("a.data")
    page.props["b"]["data"] = page.client.post("/api/double", json={"n": 21}).json
    assert page.fire("out.children") == {"out": {"children": 42}}
