"""Ids of components have one form and one comparison, whatever a client sends."""

from __future__ import annotations

import json
from typing import Any

import dash
import pytest
from dash import ALL, ALLSMALLER, MATCH, Input, Output, State, dcc, html
from hypothesis import given
from hypothesis import strategies as st

from dash_brain import ServerStore, brain_callback
from dash_brain.errors import BadId, BadToken
from dash_brain.web.component_ids import canonical, canonical_sent, matches

ONE = {"type": "conf", "index": 1}
SECRET = "swordfish"

values = st.one_of(st.text(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False))
dicts = st.dictionaries(
    st.text(), values.filter(lambda value: abs(value) != float("inf") if isinstance(value, float) else True)
)


# -- the canonical form ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1.0}, {"a": 1}),  # as a browser has it
        ({"a": -0.0}, {"a": 0}),
        ({"a": 2**53 + 1}, {"a": 2**53}),
        ({"a": -(10**21) + 1}, {"a": -1e21}),
        ({"a": ALL}, {"a": ["ALL"]}),
        ('{"b":2,"a":1}', {"a": 1, "b": 2}),
    ],
)
def test_what_is_one_id_for_a_browser_has_one_text(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize("other", [True, "1", 1.5, "True", "[1]", MATCH, ALL, 2])
def test_values_of_other_types_are_other_ids(other):
    assert canonical({"a": other}) != canonical({"a": 1})
    assert not matches(canonical({"a": other}), canonical({"a": 1}))


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        1,
        True,
        [],
        ["a"],
        ("a",),
        b"a",
        "{",
        "{}x",
        '{"a":[1]}',
        {1: 2},
        {"a": None},
        {"a": []},
        {"a": {}},
        {"a": [1]},
        {"a": ["ANY"]},
        {"a": ["ALL", "ALL"]},
        {"a": {"wild": "ALL"}},
        {"a": object()},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 10**400},
        {"a": b"1"},
        "{" * 100_000,
    ],
)
def test_what_is_no_id_is_refused_by_a_typed_error(wrong):
    with pytest.raises(BadId):
        canonical(wrong)
    with pytest.raises(BadId):
        canonical_sent(wrong)


@pytest.mark.parametrize(
    "wrong",
    ['{"a":1}', "{}", {"a": 1.0}, {"a": -0.0}, {"a": 2**53 + 1}, {"a": ["ALL"]}, {"a": ["MATCH"]}],
)
def test_a_client_sends_ids_in_the_very_form_of_a_browser(wrong):
    canonical(wrong)
    with pytest.raises(BadId):
        canonical_sent(wrong)


def as_a_browser_has_it(component_id):
    return {key: float(value) if type(value) is int else value for key, value in component_id.items()}


@given(dicts)
def test_the_text_of_an_id_says_all_of_it(component_id):
    text = canonical(component_id)
    assert canonical(text) == text == canonical(json.loads(text))
    assert canonical_sent(json.loads(text)) == text
    assert as_a_browser_has_it(json.loads(text)) == as_a_browser_has_it(component_id)


@given(st.integers(-(10**22), 10**22))
def test_a_large_number_is_one_that_a_browser_sends(number):
    text = canonical({"a": number})
    assert canonical_sent(json.loads(text)) == text
    found = json.loads(text)["a"]
    assert float(found) == float(number)
    assert isinstance(found, float) or set(str(abs(found))[17:]) <= {"0"}  # as JSON.stringify writes it


@given(dicts, dicts)
def test_ids_are_the_same_when_their_texts_are(one, other):
    assert matches(canonical(one), canonical(other)) == (canonical(one) == canonical(other))


@pytest.mark.parametrize("wildcard", [ALL, MATCH, ALLSMALLER])
def test_a_wildcard_fits_every_value_of_its_key_and_no_other_keys(wildcard):
    declared = canonical({"a": wildcard, "b": 1})
    for value in (1, True, "x", 1.5):
        assert matches(canonical({"a": value, "b": 1}), declared)
        assert not matches(canonical({"a": 1, "b": True}), declared)
    assert not matches(canonical({"a": 1}), declared)
    assert not matches(canonical({"a": 1, "b": 1, "c": 1}), declared)
    assert not matches("a", declared)


@pytest.mark.parametrize("wrong", ["{", '{"a":[1]}', {"a": float("nan")}])
def test_a_server_store_has_an_id_that_can_be_compared(wrong):
    with pytest.raises(BadId):
        ServerStore(id=wrong)


# -- what a client posts -----------------------------------------------------------------------------


class Attacked:
    """An app with a store of a dict id, and what its callbacks were given."""

    def __init__(self, open_page: Any) -> None:
        app = dash.Dash("attacked")
        self.given: list[Any] = []
        self.errors: list[Exception] = []
        app._on_error = self.errors.append
        stores = [ServerStore(id=ONE), ServerStore(id="a"), ServerStore(id={"type": "part", "index": 1})]
        app.layout = html.Div([*stores, dcc.Input(id="i"), html.Div(id="text"), html.Div(id="many")])

        @brain_callback(Output(ONE, "data"), Input("i", "value"), app=app)
        def load(value):
            return {"secret": value}

        @brain_callback(
            Output("a", "data", allow_duplicate=True), Input("i", "value"), app=app, prevent_initial_call=True
        )
        def again(value):
            return {"secret": value}

        @brain_callback(
            [Output("a", "data"), Output(ONE, "data", allow_duplicate=True)],
            Input("i", "value"),
            app=app,
            prevent_initial_call=True,
        )
        def both(value):
            return {"secret": value}, {"secret": value}

        @brain_callback(Output("text", "children"), Input(ONE, "data"), State("a", "data"), app=app)
        def show(conf, a):
            self.given.append((conf, a))

        @brain_callback(Output("many", "children"), Input({"type": "part", "index": ALL}, "data"), app=app)
        def collect(parts):
            self.given.append(parts)

        self.page = open_page(app)
        self.outputs = {spec["output"].split("@")[0]: spec["output"] for spec in self.page.dependencies}

    def post(self, output: str, outputs: Any, inputs: Any, state: Any = (), changed: Any = ()) -> str:
        """Post any JSON, and return the answer."""
        full = next(one for one in self.outputs.values() if one.startswith(output))
        body = {
            "output": full,
            "outputs": outputs,
            "inputs": inputs,
            "state": state,
            "changedPropIds": changed,
        }
        self.errors.clear()
        return self.page.client.post("/_dash-update-component", json=body).text


@pytest.fixture
def attacked(open_page) -> Attacked:
    return Attacked(open_page)


def leaf(component_id: Any, name: Any = "data", **more: Any) -> dict[str, Any]:
    return {"id": component_id, "property": name, **more}


OTHER_FORMS = [
    {"type": "conf", "index": 1.0},
    {"type": "conf", "index": True},
    {"type": "conf", "index": "1"},
    {"type": "conf", "index": [1]},
    {"type": "conf", "index": ["ALL"]},
    {"type": "conf", "index": ["MATCH"]},
    {"type": "conf", "index": {"wild": "MATCH"}},
    {"type": "conf", "index": None},
    {"type": "conf", "index": float("nan")},
    {"type": ["conf"], "index": 1},
    {**ONE, "more": 1},
    {"type": "conf"},
    {},
    '{"index":1,"type":"conf"}',
    '{"index":1.0,"type":"conf"}',
    '{"index":2,"index":1,"type":"conf"}',
    '{"type":"conf","index":1}',
    "{",
    "",
    [ONE],
    ["a"],
    None,
    1,
    True,
]


@pytest.mark.parametrize("other", OTHER_FORMS, ids=repr)
def test_another_form_of_an_output_gets_nothing_and_runs_nothing(attacked, other):
    for outputs in (leaf(other), [leaf(other)], leaf(other, "data@x")):
        told = attacked.post('{"index":1,"type":"conf"}.data', outputs, [leaf("i", "value", value=SECRET)])
        assert SECRET not in told
        assert not attacked.given


@pytest.mark.parametrize("other", OTHER_FORMS, ids=repr)
def test_another_form_of_an_input_gives_no_json_to_a_callback(attacked, other):
    made_up = {"role": "admin"}
    for one in (leaf(other, value=made_up), [leaf(other, value=made_up)]):
        attacked.post("text.children", leaf("text", "children"), [one], [leaf("a")])
        attacked.post("many.children", leaf("many", "children"), [[one]])
        attacked.post("text.children", leaf("text", "children"), [leaf(ONE)], [one])
        assert not attacked.given


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        [],
        {},
        "a",
        [leaf("a")],
        leaf("a", "value"),
        leaf("a", "data@"),
        leaf("a", ["data"]),
        leaf("a", None),
        leaf("text", "children"),
        {"id": "a"},
        {"property": "data"},
        [[leaf("a")]],
    ],
    ids=repr,
)
def test_outputs_that_are_not_those_of_the_callback_get_nothing(attacked, outputs):
    inputs = [leaf("i", "value", value=SECRET)]
    assert SECRET not in attacked.post('{"index":1,"type":"conf"}.data', outputs, inputs)
    assert SECRET not in attacked.post("..a.data...", outputs, inputs)


def test_the_outputs_of_several_are_held_against_each_other(attacked):
    inputs, ours = [leaf("i", "value", value=SECRET)], "..a.data..."
    for outputs in (
        [leaf(ONE), leaf("a")],
        [leaf("a")],
        [leaf("a"), leaf({**ONE, "index": True})],
        leaf("a"),
    ):
        assert SECRET not in attacked.post(ours, outputs, inputs)


def test_the_forms_of_allow_duplicate_are_known(attacked):
    inputs, ours = [leaf("i", "value", value=SECRET)], "a.data@"
    for name in ("data", attacked.outputs["a.data"].split(".", 1)[1]):
        told = json.loads(attacked.post(ours, leaf("a", name), inputs))
        assert told["response"]["a"]["data"].startswith("db1.")


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        [leaf(ONE, value=1), leaf(ONE, value=1)],
        [[leaf(ONE, value=1)]],
        [leaf(ONE, "storage_type", value=1)],
        [leaf(ONE, "data@x", value=1)],
        [leaf(ONE, None, value=1)],
        [{"id": ONE, "value": 1}],
        [{"property": "data", "value": 1}],
        ["a"],
        [None],
        [1],
        None,
        {},
    ],
    ids=repr,
)
def test_inputs_that_are_not_those_of_the_callback_reach_nothing(attacked, inputs):
    attacked.post("text.children", leaf("text", "children"), inputs, [leaf("a")])
    attacked.post("text.children", leaf("text", "children"), [leaf(ONE)], inputs)
    assert not attacked.given


@pytest.mark.parametrize(
    "value", [{"role": "admin"}, [], {}, 0, 1, False, True, "", "x", "None", 1.5, [None]], ids=repr
)
def test_json_is_never_taken_in_place_of_a_token(attacked, value):
    for on, state in ((value, None), (None, value)):
        attacked.post(
            "text.children", leaf("text", "children"), [leaf(ONE, value=on)], [leaf("a", value=state)]
        )
        assert not attacked.given
        assert [type(error) for error in attacked.errors] == [BadToken]
    attacked.post(
        "many.children", leaf("many", "children"), [[leaf({"type": "part", "index": 77}, value=value)]]
    )
    assert not attacked.given


def test_null_is_an_empty_store(attacked):
    attacked.post("text.children", leaf("text", "children"), [leaf(ONE, value=None)], [leaf("a")])
    assert attacked.given == [(None, None)]


@pytest.mark.parametrize(
    "changed",
    [
        "{.data",
        "{",
        "",
        ".",
        "a",
        "other.data",
        "a.value",
        7,
        '{"index":1.0,"type":"conf"}.data',
        '{"index":["ALL"],"type":"conf"}.data',
    ],
)
def test_what_is_said_to_have_changed_is_an_input(attacked, changed):
    attacked.post("text.children", leaf("text", "children"), [leaf(ONE)], [leaf("a")], [changed])
    assert not attacked.given
    assert [type(error) for error in attacked.errors] == [BadToken]


def test_a_page_says_what_changed_in_its_own_way(attacked):
    for changed in ('{"index":1,"type":"conf"}.data', '{"type":"conf","index":1}.data'):
        attacked.post("text.children", leaf("text", "children"), [leaf(ONE)], [leaf("a")], [changed])
        assert attacked.given


def test_an_id_with_more_digits_than_a_browser_keeps_works_as_browsers_send_it(open_page):
    app = dash.Dash("ids")
    ours = {"row": 2**60 + 1}
    app.layout = [ServerStore(id=ours), html.Div(id="text")]

    @brain_callback(Output({"row": MATCH}, "data"), Input({"row": MATCH}, "clear_data"), app=app)
    def load(clear):
        return [SECRET]

    @brain_callback(Output("text", "children"), Input(ours, "data"), app=app)
    def show(rows):
        return len(rows)

    page = open_page(app)
    theirs = {"row": 1152921504606847000}
    page.props[json.dumps(theirs, separators=(",", ":"))] = {}
    page.props.pop(json.dumps(ours, separators=(",", ":")))
    [answer] = page.fire('{"row":["MATCH"]}.data').values()
    assert answer["data"].startswith("db1.")
    inputs = [{"id": theirs, "property": "data", "value": answer["data"]}]
    body = {"output": "text.children", "outputs": {"id": "text", "property": "children"}, "inputs": inputs}
    answer = page.client.post("/_dash-update-component", json={**body, "changedPropIds": []})
    assert answer.json["response"]["text"]["children"] == 1


def test_an_id_that_python_writes_as_a_float_works_as_browsers_send_it(open_page):
    app = dash.Dash("floats")
    app.layout = html.Div([ServerStore(id={"row": 1.0}), dcc.Input(id="i"), html.Div(id="out")])

    @brain_callback(Output({"row": 1.0}, "data"), Input("i", "value"))
    def load(value):
        return {"secret": SECRET}

    page = open_page(app)
    body = {
        "output": page.dependencies[0]["output"],  # the dot is escaped as the release of Dash does it
        "outputs": leaf({"row": 1}),
        "inputs": [leaf("i", "value")],
        "state": [],
        "changedPropIds": [],
    }
    answer = page.client.post("/_dash-update-component", json=body)
    assert answer.json["response"]['{"row":1}']["data"].startswith("db1.")


def test_an_optional_wildcard_that_nothing_fits_is_none(open_page):
    app = dash.Dash("optional")
    app.layout = html.Div([ServerStore(id={"row": 1}), html.Div(id={"out": 1})])
    got = []

    @brain_callback(
        Output({"out": MATCH}, "children"),
        State({"row": MATCH}, "data", allow_optional=True),
        Input({"in": MATCH}, "value", allow_optional=True),
    )
    def show(value, changed):
        got.append(value)

    page = open_page(app)
    missing = {"allow_optional": True, "value": None}
    body = {
        "output": '{"out":["MATCH"]}.children',
        "outputs": leaf({"out": 1}, "children"),
        "inputs": [leaf({"in": ["MATCH"]}, "value", **missing)],
        "state": [leaf({"row": {"wild": "MATCH"}}, **missing)],
        "changedPropIds": [],
    }
    assert page.client.post("/_dash-update-component", json=body).status_code == 200
    assert got == [None]
