"""``dash.Patch`` on a ServerStore changes a copy of the value that the call got."""

from __future__ import annotations

import json
from typing import Any

import dash
import numpy as np
import pandas as pd
import pytest
from dash import ALL, MATCH, Input, Output, Patch, State, dcc, html

from dash_brain import ServerStore, brain_callback, set_props
from dash_brain.errors import ValueMissing, WiringError
from dash_brain.settings import current
from dash_brain.web.patches import patched
from tests.app.test_callbacks import app_with, is_token


def patch_of(*operations: Any) -> Patch:
    patch = Patch()
    for change in operations:
        change(patch)
    return patch


def assign(*way: Any, value: Any) -> Any:
    def change(patch: Any) -> None:
        for key in way[:-1]:
            patch = patch[key]
        patch[way[-1]] = value

    return change


def delete(*way: Any) -> Any:
    def change(patch: Any) -> None:
        for key in way[:-1]:
            patch = patch[key]
        del patch[way[-1]]

    return change


def scaled(patch: Any) -> None:
    patch["n"] += 3
    patch["n"] *= 4
    patch["n"] -= 2
    patch["n"] /= 2


def joined(patch: Any) -> None:
    patch["text"] += "!"
    patch["rows"] += [4, 5]
    patch["dict"] |= {"b": 2}


def start_value() -> dict[str, Any]:
    return {"n": 1, "text": "a", "rows": [1, 2, 3, 2], "dict": {"a": {"deep": [1]}}}


#: Operations, and what they make of ``start_value()``: the same in the browser, see below.
CASES: dict[str, list[Any]] = {
    "assign": [assign("n", value=7), assign("new", value=[1])],
    "assign within": [assign("dict", "a", "deep", 0, value=9), assign("dict", "x", "y", value=1)],
    "assign from the end": [assign("rows", -1, value=9)],
    "delete": [delete("n"), delete("dict", "a", "deep"), delete("rows", 1), delete("never was")],
    "arithmetic": [scaled],
    "in place": [joined],
    "append": [lambda patch: patch["rows"].append([4])],
    "prepend": [lambda patch: patch["rows"].prepend(0)],
    "insert": [lambda patch: patch["rows"].insert(1, "x"), lambda patch: patch["rows"].insert(-1, "y")],
    "extend": [lambda patch: patch["rows"].extend([7, 8])],
    "remove": [lambda patch: patch["rows"].remove(2)],
    "clear": [lambda patch: patch["rows"].clear(), lambda patch: patch["dict"].clear()],
    "reverse": [lambda patch: patch["rows"].reverse()],
    "update": [lambda patch: patch["dict"].update({"a": 1, "b": 2}), lambda patch: patch.update(n=5)],
    "what was added": [assign("list", value=[1]), lambda patch: patch["list"].append(2)],
    "nothing": [],
}


@pytest.mark.parametrize("operations", CASES.values(), ids=CASES)
def test_the_value_itself_is_left_as_it_is(operations):
    value, text = start_value(), repr(start_value())
    changed = patched(value, patch_of(*operations), "orders")
    assert repr(value) == text
    assert changed is not value or not operations


def test_what_a_patch_adds_is_not_changed_by_its_later_operations():
    added = [1]
    changed = patched({}, patch_of(assign("a", value=added), lambda patch: patch["a"].append(2)), "orders")
    assert (added, changed) == ([1], {"a": [1, 2]})


@pytest.mark.parametrize(
    ("operations", "made"),
    [([assign("a", value=1)], {"a": 1}), ([lambda patch: patch.update({"b": 2})], {"b": 2})],
)
def test_an_empty_store_becomes_a_dict(operations, made):
    assert patched(None, patch_of(*operations), "orders") == made


FRAME = pd.DataFrame({"x": [1, 2, 3]})


@pytest.mark.parametrize(
    ("value", "operation", "found"),
    [
        (FRAME, assign("y", value=1), "DataFrame"),
        (FRAME, delete("x"), "DataFrame"),
        ({"frame": FRAME}, assign("frame", "x", value=1), "DataFrame"),
        ({"array": np.zeros(3)}, lambda patch: patch["array"].append(1), "ndarray"),
        (None, lambda patch: patch.append(1), "NoneType"),
        ((1, 2), lambda patch: patch.append(1), "tuple"),
        ({"a": 1}, lambda patch: patch["a"].append(1), "int"),
        ({"a": {}}, lambda patch: patch["a"].append(1), "no item"),
        ([1], assign(5, value=1), "no item"),
        ([1], assign("secret", value=1), "no item"),
        ({"a": "text"}, lambda patch: patch.__getitem__("a").__imul__("secret"), "no item"),
    ],
)
def test_what_no_operation_fits_is_refused_with_the_cure(value, operation, found):
    with pytest.raises(WiringError, match=r"ServerStore 'orders'.*State") as refused:
        patched(value, patch_of(operation), "orders")
    assert found in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_frame_in_a_dict_is_replaced_or_left_whole(open_page):
    app = app_with(ServerStore(id="a"), dcc.Input(id="n", value=1), html.Div(id="out"))

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def load(n):
        return {"frame": pd.DataFrame({"x": np.arange(100_000)}), "note": "old"}

    @brain_callback(Output("a", "data", allow_duplicate=True), Input("out", "title"), State("a", "data"),
                    prevent_initial_call=True)  # fmt: skip
    def change(_, held):
        held["frame"]["x"] = 0  # the call's own: it changes nothing
        held["note"] = "lost"
        patch = Patch()
        patch["more"] = [held["frame"].head(2)]
        return patch

    page = open_page(app)
    page.fire("a.data", trigger="n.value")
    before = page.props["a"]["data"]
    [spec] = [one for one in page.dependencies if "@" in one["output"]]
    changes = page.fire(spec["output"], output_ids={"id": "a", "property": spec["output"].split(".")[1]})
    assert is_token(changes["a"]["data"])
    assert changes["a"]["data"] != before
    now, then = (value_of(page, app, token) for token in (changes["a"]["data"], before))
    assert (now["note"], int(now["frame"].x.sum()), len(now["more"][0])) == ("old", 4999950000, 2)
    assert (sorted(then), int(then["frame"].x.sum())) == (["frame", "note"], 4999950000)


def value_of(page: Any, app: dash.Dash, token: str) -> Any:
    """Return the value of a token of a page."""
    from dash_brain import codec

    store = current.use().store
    [found] = [
        codec.decode(store.get(space, key))
        for domain in ("session", "memo", "session-memo")
        for space in store.namespaces(domain)
        for key in store.scan(space)
        if key == token.split(".")[2][1:]
    ]
    return found


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("role", [Input, State])
def test_several_outputs_change_what_each_of_them_held(open_page, role, is_async):
    app = app_with(
        ServerStore(id="a", data=[1]), ServerStore(id="b", data={"k": 1}), dcc.Input(id="n", value=1),
        html.Div(id="out"),
    )  # fmt: skip
    outputs = [Output("a", "data"), Output("b", "data"), Output("out", "children")]

    def work(n, a, b):
        return patch_of(lambda patch: patch.append(2)), patch_of(assign("k", value=2)), "told"

    async def work_async(n, a, b):
        return work(n, a, b)

    inputs = [Input("n", "value"), role("a", "data"), role("b", "data")]
    brain_callback(outputs, inputs)(work_async if is_async else work)
    page = open_page(app)
    changes = page.fire("a.data")
    assert value_of(page, app, changes["a"]["data"]) == [1, 2]
    assert value_of(page, app, changes["b"]["data"]) == {"k": 2}
    assert changes["out"]["children"] == "told"


def test_patterns_change_the_store_of_the_same_id(open_page):
    stores = [ServerStore(id={"part": part}, data=[part]) for part in (1, 2)]
    app = app_with(*stores, *(dcc.Input(id={"n": part}, value=0) for part in (1, 2)))

    @brain_callback(Output({"part": ALL}, "data"), Input({"n": ALL}, "value"), State({"part": ALL}, "data"))
    def all_of_them(_, held):
        return [patch_of(lambda patch, n=n: patch.append(n)) for n in range(len(held))]

    page = open_page(app)
    changes = page.fire('{"part":["ALL"]}.data')
    found = {key: value_of(page, app, change["data"]) for key, change in changes.items()}
    assert found == {'{"part":1}': [1, 0], '{"part":2}': [2, 1]}


def test_match_changes_the_store_that_matched(open_page):
    app = app_with(*(ServerStore(id={"part": part}, data=[part]) for part in (1, 2)), html.Div(id={"out": 1}))

    @brain_callback(Output({"part": MATCH}, "data"), Input({"part": MATCH}, "data"))
    def one_of_them(held):
        return patch_of(lambda patch: patch.append("new"))

    page = open_page(app)
    leaf = {"id": {"part": 2}, "property": "data"}
    [spec] = page.dependencies
    body = {
        "output": spec["output"], "outputs": leaf, "changedPropIds": ['{"part":2}.data'], "state": [],
        "inputs": [{**leaf, "value": page.props['{"part":2}']["data"]}],
    }  # fmt: skip
    answer = page.client.post(
        "/_dash-update-component", data=json.dumps(body), content_type="application/json",
        base_url=page.base_url,
    )  # fmt: skip
    assert value_of(page, app, answer.json["response"]['{"part":2}']["data"]) == [2, "new"]


@pytest.mark.parametrize("setter", [set_props, dash.set_props])
def test_set_props_takes_a_patch_too(open_page, setter):
    app = app_with(ServerStore(id="a", data=[1]), dcc.Input(id="n", value=1), html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input("n", "value"), State("a", "data"))
    def work(n, held):
        setter("a", {"data": patch_of(lambda patch: patch.append(2))})
        return "told"

    page = open_page(app)
    assert value_of(page, app, page.fire("out.children")["a"]["data"]) == [1, 2]


def test_each_patch_of_a_call_changes_what_the_one_before_has_made(open_page):
    app = app_with(ServerStore(id="a", data=[1]), dcc.Input(id="n", value=1), html.Div(id="out"))

    @brain_callback(Output("out", "children"), Input("n", "value"), State("a", "data"))
    def work(n, held):
        for number in (2, 3):
            set_props("a", {"data": patch_of(lambda patch, number=number: patch.append(number))})
        return "told"

    page = open_page(app)
    assert value_of(page, app, page.fire("out.children")["a"]["data"]) == [1, 2, 3]


def test_a_plain_callback_may_give_one_to_our_set_props(open_page):
    app = app_with(ServerStore(id="a", data=[1]), dcc.Input(id="n", value=1), html.Div(id="out"))

    @dash.callback(Output("out", "children"), Input("n", "value"), State("a", "data"))
    def work(n, token):
        set_props("a", {"data": patch_of(lambda patch: patch.append(2))})
        return "told"

    page = open_page(app)
    assert value_of(page, app, page.fire("out.children")["a"]["data"]) == [1, 2]


@pytest.mark.parametrize("others", [[], [State("b", "data")], [State("a", "modified_timestamp")]])
def test_without_the_value_the_error_asks_for_it(open_page, others):
    app = app_with(ServerStore(id="a", data=[1]), ServerStore(id="b", data=[1]), dcc.Input(id="n", value=1))
    errors: list[Exception] = []

    @brain_callback(Output("a", "data"), Input("n", "value"), *others, on_error=errors.append)
    def put(*_):
        return Patch()

    open_page(app).post("a.data")
    [error] = errors
    assert isinstance(error, WiringError)
    assert "'a'" in str(error)
    assert "State" in str(error)


def test_a_memoized_callback_returns_whole_values(open_page):
    app = app_with(ServerStore(id="a", data=[1]), dcc.Input(id="n", value=1))
    errors: list[Exception] = []

    @brain_callback(
        Output("a", "data"), Input("n", "value"), State("a", "data"), memoize="app", on_error=errors.append
    )
    def put(n, held):
        return patch_of(lambda patch: patch.append(2))

    open_page(app).post("a.data")
    assert "whole values" in str(errors[0])


def gone(page: Any) -> None:
    store = current.use().store
    for space in list(store.namespaces("session")):
        store.drop(space)


def test_the_value_that_on_missing_puts_in_place_of_one_that_is_gone_is_changed(open_page):
    app = app_with(ServerStore(id="a", data=[1]), dcc.Input(id="n", value=1))

    @brain_callback(
        Output("a", "data"), Input("n", "value"), State("a", "data"), on_missing=lambda error: ["instead"]
    )
    def put(n, held):
        return patch_of(lambda patch: patch.append(2))

    page = open_page(app)
    gone(page)
    assert value_of(page, app, page.fire("a.data")["a"]["data"]) == ["instead", 2]


def test_a_value_that_goes_during_the_call_is_missing(open_page):
    app = app_with(ServerStore(id="a", data=[1]), dcc.Input(id="n", value=1))
    errors: list[Exception] = []

    @brain_callback(Output("a", "data"), Input("n", "value"), State("a", "data"), on_error=errors.append)
    def put(n, held):
        gone(None)
        return patch_of(lambda patch: patch.append(2))

    open_page(app).post("a.data")
    assert [type(error) for error in errors] == [ValueMissing]


def test_what_on_error_returns_may_be_a_patch(open_page):
    app = app_with(ServerStore(id="a", data={"errors": 0}), dcc.Input(id="n", value=1))

    def count(error):
        patch = Patch()
        patch["errors"] += 1
        return patch

    @brain_callback(Output("a", "data"), Input("n", "value"), State("a", "data"), on_error=count)
    def fail(n, held):
        raise ValueError

    page = open_page(app)
    assert value_of(page, app, page.fire("a.data")["a"]["data"]) == {"errors": 1}
