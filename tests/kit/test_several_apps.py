"""Several apps in one process, as the test files of a project make them."""

from __future__ import annotations

import ast
import re

import pytest
from dash import Dash, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback
from tests.packaging.documents import REPOSITORY


def test_a_callback_that_another_app_got_is_missed_with_the_cause(brain_app):
    first, second = Dash("first"), Dash("second")
    first.layout = second.layout = [dcc.Input(id="n", value=3), ServerStore(id="a"), html.Div(id="b")]

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def load(n):
        return [n]

    assert brain_app(first).call("a.data") == [3]
    page = brain_app(second)
    with pytest.raises(
        LookupError, match=r"no callbacks with the output a\.data\. .* several apps, .* app=app"
    ):
        page.call("a.data")


def test_the_programs_of_the_recipe_may_be_test_files_of_one_project():
    text = (REPOSITORY / "docs/recipes/test.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    calls = [node for program in programs for node in ast.walk(ast.parse(program)) if is_declared(node)]
    assert len(programs) == 2
    assert len(calls) == 4
    assert all("app" in [one.arg for one in call.keywords] for call in calls)


def is_declared(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "brain_callback"
