"""The panel in Dash's dev tools: what it is told of the session, and that it is there in debug only."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import dash
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, configure, session_brain, to_token
from dash_brain.settings import current
from dash_brain.web import server_timing
from dash_brain.web.panel import files, report
from tests.app.asgi import client_of
from tests.app.test_claims import Claiming

COMPONENT = "_dash-brain-panel"
OURS = {"X-Dash-Brain": "panel", "Sec-Fetch-Site": "same-origin"}
FRAME = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=50), "total": np.arange(50.0)})


@pytest.fixture(autouse=True)
def _timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process note nothing for apps of other tests."""
    monkeypatch.setattr(server_timing, "is_on", False)


def app_of(value: Any = FRAME, *, debug: bool = True, memoize: Any = None) -> dash.Dash:
    app = dash.Dash("test")
    shown = [html.Div(id=name) for name in ("length", "kept", "app")]
    app.layout = html.Div([dcc.Input(id="n", value=1), ServerStore(id="a"), *shown])
    brain_callback(Output("a", "data"), Input("n", "value"), app=app, memoize=memoize)(lambda n: value)
    brain_callback(Output("length", "children"), Input("a", "data"), app=app)(len)

    @app.callback(Output("kept", "children"), Input("n", "value"))
    def keep(n):
        session_brain["cart"] = [n]

    @app.callback(Output("app", "children"), Input("n", "value"))
    def share(n):
        return to_token(value, "app")

    app.enable_dev_tools(debug=debug, dev_tools_hot_reload=False, dev_tools_silence_routes_logging=False)
    return app


def ask(page: Any, /, headers: Any = OURS, query: str = "", asked: Any = None, **question: Any) -> Any:
    """Ask as the panel does, and return the response."""
    asked = json.dumps(question) if asked is None else asked
    body = {
        "output": f"{COMPONENT}.data",
        "outputs": {"id": COMPONENT, "property": "data"},
        "inputs": [{"id": COMPONENT, "property": "question", "value": asked}],
        "changedPropIds": [f"{COMPONENT}.question"],
        "state": [],
    }
    return page.client.post(f"{page.prefix}_dash-update-component{query}", json=body, headers=headers or {})


def look(page: Any, /, *held: str, name: str = "f" * 32) -> Any:
    response = ask(page, do="look", page=name, held=held)
    assert response.status_code == 200, response.text
    return response.json


def is_refused(answer: Any) -> bool:
    """Say whether a request was refused, of which Dash makes a server error in debug mode."""
    refusals = ("400 Bad Request", "403 Forbidden")
    return answer.status_code in (400, 403) or (
        answer.status_code == 500 and any(one in answer.text for one in refusals)
    )


def token_of(page: Any) -> str:
    page.fire("a.data")
    return page.props["a"]["data"]


def test_it_shows_type_shape_bytes_and_age_of_what_the_page_holds(open_page):
    page = open_page(app_of())
    [row] = look(page, token_of(page))["held"]
    assert (row["type"], row["rows"], row["columns"], row["scope"]) == ("pandas.DataFrame", 50, 2, "session")
    assert row["bytes"] > 800
    assert row["age"] >= 0
    assert row["left"] > 0
    assert row["file"] == "csv"


def test_it_shows_use_against_quota_and_budget(open_page, tmp_path):
    configure(f"file://{tmp_path}/bounded?size=64MB", session_quota=16_000_000)
    page = open_page(app_of())
    token_of(page)
    shown = look(page)
    assert shown["session"]["most"] == 16_000_000
    assert 800 < shown["session"]["used"] <= shown["store"]["used"]
    assert shown["store"]["most"] == 64_000_000
    assert shown["store"]["name"].startswith(f"FileStore in {tmp_path}/bounded/")


def test_it_shows_who_else_holds_a_value(open_page):
    page = open_page(app_of())
    token = token_of(page)
    first, second = Claiming(page), Claiming(page)
    first(token)
    [row] = look(page, token, name=first.name)["held"]
    assert "tabs" not in row
    second(token)
    [row] = look(page, token, name=first.name)["held"]
    assert (row["tabs"], row["jobs"]) == (1, 0)


def test_values_of_other_tabs_and_named_values_of_the_session_are_shown_too(open_page):
    page = open_page(app_of())
    claim, token = Claiming(page), token_of(page)
    claim(token)
    page.fire("kept.children")
    shown = look(page)
    [other] = shown["others"]
    assert (other["token"], other["tabs"]) == (token, 1)
    [named] = shown["names"]
    assert (named["name"], named["type"]) == ("cart", "list")


def test_of_many_values_the_newest_are_shown(open_page, monkeypatch):
    monkeypatch.setattr(report, "MOST_SHOWN", 2)
    page = open_page(app_of())
    tokens = [token_of(page) for _ in range(3)]
    shown = look(page)
    assert [one["token"] for one in shown["others"]] == tokens[:0:-1]
    assert shown["more"] == 1


def test_of_a_value_that_is_gone_it_says_why(open_page, tmp_path):
    configure(f"file://{tmp_path}/small?size=4MB", session_quota=1_000_000)
    page = open_page(app_of(np.zeros(80_000)))
    token = token_of(page)
    token_of(page)  # the quota has room for one of them
    [row] = look(page, token)["held"]
    assert row == {"gone": "quota"}


def test_it_tells_nothing_of_other_sessions(open_page):
    app = app_of()
    page, other = open_page(app), open_page(app)
    token = token_of(page)
    page.fire("kept.children")
    shown = look(other, token)
    assert shown["held"] == [{"gone": "unknown"}]
    assert shown["others"] == shown["names"] == []
    assert look(other, "db1.forged")["held"] == [{"gone": "unknown"}]


def test_no_other_session_can_drop_or_download_a_value(open_page):
    app = app_of()
    page, other = open_page(app), open_page(app)
    token = token_of(page)
    page.fire("kept.children")
    for do in ("drop", "download"):
        assert ask(other, do=do, token=token).json == {"refused": "gone"}
    assert ask(other, do="drop", name="cart").json is False
    shown = look(page, token)
    assert "gone" not in shown["held"][0]
    assert len(shown["names"]) == 1


def test_a_value_is_dropped_by_its_token_and_by_its_name(open_page):
    page = open_page(app_of())
    token = token_of(page)
    page.fire("kept.children")
    assert ask(page, do="drop", token=token).json is True
    assert ask(page, do="drop", name="cart").json is True
    shown = look(page, token)
    assert shown["held"] == [{"gone": "deleted"}]
    assert shown["names"] == []
    assert ask(page, do="drop", token=token).json is False


@pytest.mark.parametrize("memoize", [None, "app"])
def test_what_all_sessions_share_is_shown_and_cannot_be_dropped(open_page, memoize):
    page = open_page(app_of(memoize=memoize))
    token = token_of(page) if memoize else page.fire("app.children")["app"]["children"]
    [row] = look(page, token)["held"]
    assert row["scope"] == ("memo" if memoize else "app")
    assert ask(page, do="drop", token=token).json == {"refused": "shared"}
    assert "gone" not in look(page, token)["held"][0]


def test_results_that_a_session_memoized_can_be_dropped(open_page):
    page = open_page(app_of(memoize="session"))
    token = token_of(page)
    [other] = look(page)["others"]
    assert (other["token"], other["scope"]) == (token, "session-memo")
    assert ask(page, do="drop", token=token).json is True


def test_results_of_functions_that_a_session_memoized_can_be_downloaded_and_dropped(open_page):
    app = app_of()

    def first(n):
        return FRAME.head(n)

    @app.callback(Output("kept", "title"), Input("n", "value"))
    def count(n):
        return len(session_brain.memoize()(first)(n))

    page, other = open_page(app), open_page(app)
    page.fire("kept.title")
    [row] = look(page)["others"]
    assert (row["scope"], row["function"]) == ("session-memo", first.__qualname__)
    assert look(other)["others"] == []
    assert ask(other, do="download", result=row["result"]).json == {"refused": "gone"}
    assert ask(other, do="drop", result=row["result"]).json is False
    assert len(pd.read_csv(io.BytesIO(ask(page, do="download", result=row["result"]).data))) == 1
    assert ask(page, do="drop", result=row["result"]).json is True
    assert look(page)["others"] == []


TABLES = {
    "pandas": FRAME,
    "series": FRAME["total"],
    "polars": pl.from_pandas(FRAME),
    "arrow": pa.Table.from_pandas(FRAME),
    "mixed": pd.DataFrame({"any": [1, "one", None]}),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_is_downloaded_as_csv(open_page, table):
    page = open_page(app_of(table))
    answer = ask(page, do="download", token=token_of(page))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="value.csv"'
    assert len(pd.read_csv(io.BytesIO(answer.data))) == len(table)


def test_an_array_is_downloaded_as_it_is(open_page):
    value = np.arange(12.0).reshape(3, 4)
    page = open_page(app_of(value))
    answer = ask(page, do="download", token=token_of(page))
    assert np.array_equal(np.load(io.BytesIO(answer.data), allow_pickle=False), value)


@pytest.mark.parametrize("value", [{"a": 1}, np.array([{}], dtype=object), pl.DataFrame({"a": [[1]]})])
def test_what_no_file_can_hold_is_not_downloaded(open_page, value):
    page = open_page(app_of(value))
    token = token_of(page)
    assert ask(page, do="download", token=token).json == {"refused": "no format"}


def test_a_very_large_value_is_not_downloaded(open_page, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 100)
    page = open_page(app_of())
    token = token_of(page)
    assert look(page, token)["held"][0]["file"] is None
    assert ask(page, do="download", token=token).json == {"refused": "no format"}


def test_named_values_are_downloaded_by_name_and_missing_ones_are_gone(open_page):
    page = open_page(app_of())
    page.fire("kept.children")
    assert ask(page, do="download", name="cart").json == {"refused": "no format"}
    assert ask(page, do="download", name="other").json == {"refused": "gone"}


@pytest.mark.parametrize("headers", [None, {**OURS, "Sec-Fetch-Site": "cross-site"}])
def test_pages_of_other_sites_cannot_ask(open_page, headers):
    page = open_page(app_of())
    token = token_of(page)
    for do in ("look", "drop", "download"):
        assert is_refused(ask(page, headers, do=do, token=token))
    assert "gone" not in look(page, token)["held"][0]


def test_without_a_session_there_is_no_answer_and_none_begins(open_page):
    page = open_page(app_of())
    page.client._cookies.clear()
    answer = ask(page, do="look")
    assert answer.json == {"refused": "no session"}
    assert "Set-Cookie" not in answer.headers


UNASKED = ["", "{", "[]", "7", "{}", 7, "[" * 100_000, json.dumps({"do": "look", "held": ["x"] * 1001})]
UNASKED += ['{"do": "other"}', '{"do": []}', '{"do": "look", "held": [7]}', '{"do": "look", "held": 7}']
UNASKED += ['{"do": "look", "more": 1}', '{"do": "drop", "token": {}}', '{"do": "drop", "name": 7}']


def test_what_the_panel_does_not_send_is_refused(open_page):
    page = open_page(app_of())
    assert [asked for asked in UNASKED if not is_refused(ask(page, asked=asked))] == []


def test_looking_is_no_use_of_a_value(open_page):
    page = open_page(app_of())
    token = token_of(page)
    store = current.use().store
    [space] = store.namespaces("session")
    [key] = store.scan(space)
    before = store.info(space, key)
    look(page, token)
    assert store.info(space, key) == before


def test_with_dev_tools_the_page_has_the_panel(open_page):
    page = open_page(app_of())
    assert '"namespace":"dash_brain","type":"Panel"' in page.index.text.replace(" ", "")
    urls = [part.split('"')[0] for part in page.index.text.split('src="') if "dash_brain/web/" in part]
    assert [name_of(one) for one in urls] == ["server_store", "watch", "style", "panel"]
    assert [page.client.get(one).status_code for one in urls] == [200] * 4


def name_of(url: str) -> str:
    return url.rpartition("/")[2].partition(".")[0]


def test_a_worker_that_has_served_no_page_serves_the_scripts_of_the_panel(open_page):
    urls = [one for one in open_page(app_of()).index.text.split('"') if "web/panel/" in one]
    client = client_of(app_of().server)
    assert [client.get(one).status_code for one in urls] == [200] * 3


def test_without_dev_tools_nothing_of_it_exists(open_page):
    open_page(app_of())  # another app of the process is debugged
    page = open_page(app_of(debug=False))
    answer = page.post("a.data")
    token = page.take(answer.json)["a"]["data"]
    assert "Server-Timing" not in answer.headers
    assert "Panel" not in page.index.text
    assert "web/panel" not in page.index.text
    script = page.client.get(f"{page.prefix}_dash-component-suites/dash_brain/web/panel/panel.js")
    assert script.status_code != 200
    for do in ("look", "drop", "download"):
        assert ask(page, do=do, token=token).status_code != 200
    assert page.fire("length.children") == {"length": {"children": 50}}


def test_dev_tools_that_are_asked_for_without_debug_mode_are_without_the_panel(open_page, monkeypatch):
    monkeypatch.setenv("DASH_UI", "true")
    page = open_page(app_of(debug=False))
    assert '"ui":true' in page.index.text.replace(" ", "")
    assert "web/panel" not in page.index.text
    assert ask(page, do="look").status_code != 200


TIMING = re.compile(r'dash_brain_(\w+);dur=([\d.]+);desc="dash_brain [a-z ]+: (\d+)"')


def timings(answer: Any) -> dict[str, tuple[bool, int]]:
    """Return what a response says was done: whether it took time, and how often."""
    found = TIMING.findall(",".join(answer.headers.getlist("Server-Timing")))
    return {what: (float(milliseconds) > 0, int(count)) for what, milliseconds, count in found}


def test_responses_say_how_long_it_took_to_store_and_to_read_values(open_page):
    page = open_page(app_of())
    stored = page.post("a.data")
    assert timings(stored) == {"put": (True, 1)}
    page.take(stored.json)
    assert timings(page.post("length.children")) == {"get": (True, 1)}
    assert timings(page.post("kept.children")) == {}


def test_responses_say_whether_memoized_results_were_known(open_page):
    page = open_page(app_of(memoize="session"))
    assert timings(page.post("a.data")) == {"miss": (False, 1), "put": (True, 1)}
    assert timings(page.post("a.data")) == {"hit": (False, 1)}


def test_an_app_without_stores_has_the_panel_too(open_page):
    app = dash.Dash("test")
    app.layout = html.Div()
    app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
    page = open_page(app)
    assert page.index.text.count("web/server_store") == page.index.text.count("web/panel/panel") == 1
    assert look(page)["others"] == []
