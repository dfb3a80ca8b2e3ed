"""Options of callbacks: those of Dash are followed, and what has no effect is said."""

from __future__ import annotations

import inspect

import dash
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


# -- options without effect ----------------------------------------------------------------------------


class Manager:
    cache_by = (lambda: "user",)


WITHOUT_EFFECT = {
    "cache_args_to_ignore": {"background": True, "cache_args_to_ignore": [0]},
    "cache_ignore_triggered": {"background": True, "cache_ignore_triggered": False},
    "cache_by": {"cache_by": [lambda: "user"]},
    "cache_by ": {"background": True, "manager": Manager()},
    "progress": {"progress": Output("out", "children")},
    "interval": {"interval": 100},
    "cancel": {"cancel": [Input("n", "value")]},
    "manager": {"manager": object()},
}


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_option_without_effect_warns_at_registration_and_names_it(name):
    with pytest.warns(UserWarning, match=f"^{name.strip()}= of a brain_callback has no effect") as warned:
        brain_callback(Output("a", "data"), Input("n", "value"), **WITHOUT_EFFECT[name])
    assert warned[0].filename == __file__


def test_manager_of_the_app_that_keeps_results_by_user_warns_too():
    app = app_with(background_callback_manager=Manager())
    with pytest.warns(UserWarning, match=r"^cache_by= .*memoize="):
        brain_callback(Output("a", "data"), Input("n", "value"), app=app, background=True)


def test_progress_without_background_is_ignored_as_dash_does(open_page):
    app = app_with()
    with pytest.warns(UserWarning, match="^progress="):
        declare = brain_callback(
            Output("a", "data"), Input("n", "value"), app=app, progress=Output("b", "data")
        )
    declare(lambda n: [n])
    assert open_page(app).fire("a.data")["a"]["data"].startswith("db1.")


# -- what editors and type checkers see ----------------------------------------------------------------


def test_signature_has_every_option_of_the_installed_dash_by_name():
    names = set(inspect.signature(brain_callback).parameters)
    of_dash = {
        one.name
        for one in inspect.signature(dash.callback).parameters.values()
        if one.kind == one.KEYWORD_ONLY
    }
    assert of_dash < names
    assert {"output", "inputs", "state", "prevent_initial_call", "memoize", "on_missing", "app"} < names


def test_option_that_we_do_not_know_is_passed_on_to_dash(monkeypatch):
    seen = {}
    app = app_with()
    monkeypatch.setattr(app, "callback", lambda *_, **options: seen.update(options) or (lambda f: f))
    brain_callback(Output("a", "data"), Input("n", "value"), app=app, of_tomorrow=1)(lambda n: n)
    assert seen["of_tomorrow"] == 1
