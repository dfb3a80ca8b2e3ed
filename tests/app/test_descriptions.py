"""What the browser is told of a value: its type and size, and only in the session that holds its token."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash import Dash, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, configure, to_token
from dash_brain.settings import current
from tests.app.test_callbacks import app_with
from tests.app.test_claims import OURS

COMPONENT = "_dash-brain-description"


def ask(page: Any, token: object, query: str = "", headers: Any = OURS) -> Any:
    body = {
        "output": f"{COMPONENT}.data",
        "outputs": {"id": COMPONENT, "property": "data"},
        "inputs": [{"id": COMPONENT, "property": "token", "value": token}],
        "changedPropIds": [f"{COMPONENT}.token"],
        "state": [],
    }
    return page.client.post(
        f"{page.prefix}_dash-update-component{query}",
        data=json.dumps(body),
        content_type="application/json",
        base_url=page.base_url,
        headers={**headers, "X-Dash-Brain": "description"} if headers else {},
    )


VALUES = {
    "frame": (pd.DataFrame({"secret": range(5), "other": 1.5}), ("pandas.DataFrame", 5, 2)),
    "series": (pd.Series(range(3)), ("pandas.Series", 3, None)),
    "array": (np.zeros((4, 2, 2)), ("numpy.ndarray", 4, 2)),
    "list": ([1, 2], ("list", 2, None)),
    "dict": ({"a": 1}, ("dict", 1, None)),
    "number": (7, ("int", None, None)),
    "text": ("secret", ("str", None, None)),
}


def app_of(value: Any, **options: Any) -> Dash:
    app = app_with(dcc.Input(id="n", value=1), ServerStore(id="a"), html.Div(id="out"), **options)
    brain_callback(Output("a", "data"), Input("n", "value"), app=app)(lambda n: value)
    return app


@pytest.mark.parametrize(("value", "known"), VALUES.values(), ids=VALUES)
def test_the_browser_learns_type_and_size_and_nothing_else(open_page, value, known):
    page = open_page(app_of(value))
    page.fire("a.data")
    answer = ask(page, page.props["a"]["data"])
    assert answer.status_code == 200
    found = answer.json
    assert found.pop("bytes") > 0
    wanted = dict(zip(("type", "rows", "columns"), known, strict=True))
    assert found == {name: one for name, one in wanted.items() if one is not None}
    assert "secret" not in answer.text


@pytest.mark.parametrize("memoize", ["app", "session"])
def test_memoized_values_are_described_too(open_page, memoize):
    app = app_with(dcc.Input(id="n", value=1), ServerStore(id="a"))
    brain_callback(Output("a", "data"), Input("n", "value"), app=app, memoize=memoize)(lambda n: [n] * 9)
    page = open_page(app)
    page.fire("a.data")
    assert ask(page, page.props["a"]["data"]).json["rows"] == 9


def test_another_session_learns_nothing_and_none_begins(open_page):
    app = app_of([1, 2, 3])
    page, other = open_page(app), open_page(app)
    page.fire("a.data")
    assert ask(other, page.props["a"]["data"]).json is None
    other.client._cookies.clear()
    answer = ask(other, page.props["a"]["data"])
    assert answer.json is None
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("token", [None, "", "db1.forged", 7, {"a": 1}, [1], "x" * 10_000])
def test_what_is_no_token_has_no_description(open_page, token):
    answer = ask(open_page(app_of([1])), token)
    assert (answer.status_code, answer.json) == (200, None)


def test_a_value_that_is_gone_has_none(open_page):
    page = open_page(app_of([1]))
    page.fire("a.data")
    store = current.use().store
    for space in list(store.namespaces("session")):
        store.drop(space)
    assert ask(page, page.props["a"]["data"]).json is None


@pytest.mark.parametrize("headers", [None, {**OURS, "Sec-Fetch-Site": "cross-site"}])
def test_pages_of_other_sites_cannot_ask(open_page, headers):
    page = open_page(app_of([1]))
    page.fire("a.data")
    assert ask(page, page.props["a"]["data"], headers=headers).status_code == 403


def test_asking_is_no_use_of_the_value(open_page):
    page = open_page(app_of([1]))
    page.fire("a.data")
    store = current.use().store
    [space] = store.namespaces("session")
    [key] = store.scan(space)
    before = store.info(space, key)
    ask(page, page.props["a"]["data"])
    assert store.info(space, key) == before


def test_below_a_prefix_it_is_the_same(open_page):
    page = open_page(app_of([1, 2], requests_pathname_prefix="/below/", routes_pathname_prefix="/below/"))
    page.fire("a.data")
    assert ask(page, page.props["a"]["data"]).json["rows"] == 2


def test_who_logs_in_meanwhile_learns_nothing(open_page, tmp_path):
    who = ["anna"]
    configure(f"file://{tmp_path}/users", principal=lambda: who[0])
    page = open_page(app_of([1, 2]))
    page.fire("a.data")
    token = page.props["a"]["data"]
    assert ask(page, token).json["rows"] == 2
    who[0] = "bert"
    assert ask(page, token).json is None


def test_a_page_with_its_own_session_may_ask(open_page, tmp_path):
    configure(f"file://{tmp_path}/pages", cookie="page")
    app = app_of([1, 2])
    page = open_page(app)
    secret = json.loads(page.index.text.split('id="_dash-config"')[1].split(">", 1)[1].split("</script>")[0])
    query = f"?endId={secret['end_id']}"
    token = page.take(page.post("a.data", query=query).json)["a"]["data"]
    assert ask(page, token, query).json["rows"] == 2
    assert ask(page, token).json is None


def test_values_of_the_app_are_described_in_every_session(open_page):
    app = app_with(dcc.Input(id="n", value=1), html.Div(id="out"))

    @app.callback(Output("out", "children"), Input("n", "value"))
    def show(n):
        return to_token([1, 2, 3], "app")

    token = open_page(app).fire("out.children")["out"]["children"]
    assert ask(open_page(app), token).json["rows"] == 3
