"""What a callback costs, in calls of dash_brain's own functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dash import Dash, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, configure
from tests.app.conftest import Page
from tests.app.test_callbacks import is_token
from tests.counting import all_calls, counts_are_comparable, fewest_calls, steps_up

pytestmark = counts_are_comparable


@pytest.fixture
def page(open_page, tmp_path):
    configure(f"file://{tmp_path}")
    app = Dash(__name__, use_async=False)
    app.layout = [ServerStore(id="orders"), html.Div(id="count"), dcc.Store(id="text"), html.Div(id="length")]
    frame = pd.DataFrame(np.zeros((1000, 4)))
    brain_callback(Output("orders", "data"), Input("year", "value"), app=app)(lambda year: frame)
    brain_callback(Output("count", "children"), Input("orders", "data"), app=app)(len)
    app.callback(Output("length", "children"), Input("text", "data"))(len)
    page = open_page(app)
    page.props["text"] = {"data": "x" * 90}
    for _ in range(2):  # what is known after the first requests is not looked up again
        make(page)
        take(page)
        take_plain(page)
    return page


def make(page: Page) -> None:
    page.props["year"] = {"value": 1}
    assert is_token(page.fire("orders.data", trigger="year.value")["orders"]["data"])


def take(page: Page) -> None:
    assert page.fire("count.children", trigger="orders.data") == {"count": {"children": 1000}}


def take_plain(page: Page) -> None:
    assert page.fire("length.children", trigger="text.data") == {"length": {"children": 90}}


def test_a_callback_that_returns_a_frame_takes_at_most_150_calls(page):
    assert len(fewest_calls(lambda: make(page))) <= 150


def test_a_callback_that_takes_a_frame_takes_at_most_90_calls(page):
    assert len(fewest_calls(lambda: take(page))) <= 90


def test_what_a_callback_that_takes_a_frame_adds_to_a_plain_one_is_at_most_180_calls_of_any_library(page):
    """Its own calls and those of Flask, Dash and pandas, compared with a callback of ``dcc.Store``."""
    added = len(all_calls(lambda: take(page))) - len(all_calls(lambda: take_plain(page)))
    assert 0 < added <= 180


def test_values_and_tokens_go_downwards_only(page):
    """No function calls one of a floor above its own, on either way, until the response is sent."""
    assert steps_up(lambda: make(page)) == []
    assert steps_up(lambda: take(page)) == []
