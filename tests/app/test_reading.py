"""What callbacks go on reading lives on, though no page's claim ever arrives, and the log says so."""

from __future__ import annotations

import time
from typing import Any

import dash
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore
from dash_brain.web.leases import LEASE, UNCLAIMED, reading
from tests.app.test_claims import OURS, Claiming, Clock, made

SOON = UNCLAIMED / 2


@pytest.fixture
def clock(tmp_path, monkeypatch) -> Clock:
    clock = Clock()
    current.forget()
    configure(FileStore(tmp_path, clock=clock))
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture
def app() -> dash.Dash:
    app = dash.Dash("test")
    app.layout = html.Div(
        [ServerStore(id="a"), dcc.Input(id="n", value=1), html.Div(id="out"), html.Div(id="memo")]
    )

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        return {"n": n}

    @brain_callback(Output("out", "children"), Input("a", "data"), on_error=str)
    def show(a):
        return repr(a)

    @brain_callback(Output("memo", "children"), Input("a", "data"), memoize="session")
    def memoized(a):
        return repr(a)

    return app


def read(page: Any, output: str = "out") -> str:
    """Return what the callback shows, in a process that has not looked at the value lately."""
    reading.forget()
    return page.fire(f"{output}.children")[output]["children"]


def warnings(caplog: Any, event: str) -> list[Any]:
    return [record for record in caplog.records if getattr(record, "event", "") == event]


def test_a_value_that_is_read_lives_on_though_no_page_claims_it(open_page, app, clock):
    page = open_page(app)
    made(page)
    for _ in range(20):
        clock.passes(SOON)
        assert read(page) == "{'n': 1}"
    clock.passes(UNCLAIMED + 1)
    assert read(page) != "{'n': 1}"


def test_a_result_that_is_known_counts_as_a_read_of_what_it_was_computed_from(open_page, app, clock):
    page = open_page(app)
    made(page)
    for _ in range(5):
        clock.passes(SOON)
        assert read(page, "memo") == "{'n': 1}"
    assert read(page) == "{'n': 1}"


def test_initial_data_that_is_read_lives_on(open_page, app, clock):
    app.layout = html.Div([ServerStore(id="a", data={"n": 1}), html.Div(id="out")])
    page = open_page(app)
    clock.passes(LEASE - UNCLAIMED)
    for _ in range(5):
        clock.passes(SOON)
        assert read(page) == "{'n': 1}"


def test_a_value_that_claims_keep_is_not_touched_by_reading(open_page, app, clock):
    page = open_page(app)
    Claiming(page)(made(page))
    store = current.use().store
    [space] = store.namespaces("session")
    before = [store.info(space, key).expires for key in store.scan(space)]
    clock.passes(SOON)
    read(page)
    assert [store.info(space, key).expires for key in store.scan(space)] == before


def test_a_process_looks_once_in_a_while_at_a_value_that_is_read_often(open_page, app, clock, monkeypatch):
    page = open_page(app)
    made(page)
    clock.passes(SOON)
    touched = []
    touch = FileStore.touch
    monkeypatch.setattr(
        FileStore, "touch", lambda store, space, *rest: (touched.append(space), touch(store, space, *rest))
    )
    read(page)
    for _ in range(10):
        page.fire("out.children")
    assert [space.partition("/")[0] for space in touched].count("session") == 1


def test_reading_does_not_bring_back_what_a_page_let_go_of(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)
    claim(None)
    clock.passes(50)
    assert read(page) == "{'n': 1}"
    clock.passes(11)
    assert read(page) != "{'n': 1}"


def test_the_log_says_once_that_pages_never_claim_with_cause_and_cure(open_page, app, clock, caplog):
    page = open_page(app)
    made(page)
    for _ in range(3):
        clock.passes(SOON)
        read(page)
    [warning] = warnings(caplog, "no_claims")
    assert "ServerStore 'a'" in warning.message
    assert "header X-Dash-Brain" in warning.message


def test_the_log_says_nothing_where_pages_claim(open_page, app, clock, caplog):
    page = open_page(app)
    Claiming(page)(made(page))
    clock.passes(LEASE - SOON)  # a laptop slept
    read(page)
    assert warnings(caplog, "no_claims") == []


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({"Accept": "*/*"}, "no_header"), ({**OURS, "Sec-Fetch-Site": "cross-site"}, "another_site")],
)
def test_the_log_says_why_a_claim_was_refused(open_page, app, clock, caplog, headers, reason):
    claim = Claiming(open_page(app))
    assert claim.post(claim.body(), **headers).status_code == 403
    [warning] = warnings(caplog, "claim_refused")
    assert warning.reason == reason


def test_the_error_of_a_value_that_no_page_claimed_names_that_and_no_ttl(open_page, app, clock):
    page = open_page(app)
    made(page)
    clock.passes(UNCLAIMED + 1)
    said = read(page)
    assert "no page of the session claimed it" in said
    assert "ttl" not in said


def test_the_error_of_a_value_that_was_let_go_of_names_that_and_no_ttl(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)
    claim(None)
    clock.passes(70)
    said = read(page)
    assert "no page held it any more" in said
    assert "ttl" not in said
