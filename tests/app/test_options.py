"""Options of callbacks: those of Dash are followed, and what has no effect is said."""

from __future__ import annotations

import pytest
from dash import Input, Output, _get_app, html
from dash._callback import GLOBAL_CALLBACK_LIST, GLOBAL_CALLBACK_MAP
from dash.exceptions import DuplicateCallback

from dash_brain import brain_callback
from tests.app.memoized import app_with


@pytest.fixture
def no_app_yet(monkeypatch):
    monkeypatch.setattr(_get_app, "APP", None)
    monkeypatch.setattr(_get_app, "app_context", _get_app.ContextVar("dash_app_context"))
    yield
    GLOBAL_CALLBACK_LIST.clear()
    GLOBAL_CALLBACK_MAP.clear()


def declare(**options):
    @brain_callback(Output("a", "data"), Input("n", "value"), **options)
    def load(n):
        return [n]

    @brain_callback(Output("a", "data", allow_duplicate=True), Input("n", "title"), **options)
    def reload(title):
        return [title]


def prevented(page):
    return [one["prevent_initial_call"] for one in page.dependencies]


@pytest.mark.parametrize(
    ("of_app", "expected"), [(True, [True, True]), ("initial_duplicate", [False, False])]
)
@pytest.mark.parametrize("order", ["app first", "callbacks first", "with app="])
def test_what_the_app_says_of_initial_calls_is_followed(no_app_yet, open_page, of_app, expected, order):
    if order == "callbacks first":
        declare()
    app = app_with(html.Div(id="out"), prevent_initial_callbacks=of_app)
    if order == "app first":
        declare()
    if order == "with app=":
        declare(app=app)
    assert prevented(open_page(app)) == expected


@pytest.mark.parametrize("order", ["app first", "callbacks first"])
def test_what_the_callback_says_comes_first(no_app_yet, open_page, order):
    options = {"prevent_initial_call": False}
    if order == "callbacks first":
        declare(**options)
    app = app_with(html.Div(id="out"), prevent_initial_callbacks=True)
    if order == "app first":
        declare(**options)
    assert prevented(open_page(app)) == [False, False]


@pytest.mark.parametrize("order", ["app first", "callbacks first"])
def test_duplicates_are_refused_where_the_app_does_not_allow_them(no_app_yet, order):
    def make_app():
        return app_with(html.Div(id="out"))

    steps = [make_app, declare] if order == "app first" else [declare, make_app]
    steps[0]()
    with pytest.raises(DuplicateCallback, match="allow_duplicate"):
        steps[1]()


def test_callbacks_without_inputs_and_outputs_keep_names_of_their_own(no_app_yet, open_page):
    @brain_callback()
    def first():
        pass

    @brain_callback()
    def second():
        pass

    assert len(open_page(app_with()).dependencies) == 2
