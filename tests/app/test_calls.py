"""Which of the package's functions call which, for a callback that returns a value and one that takes it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dash import Dash, Input, Output, html

from dash_brain import ServerStore, brain_callback, configure
from tests.app.conftest import Page
from tests.app.test_callbacks import is_token
from tests.counting import counts_are_comparable, steps_up

pytestmark = counts_are_comparable


@pytest.fixture
def page(open_page, tmp_path):
    configure(f"file://{tmp_path}")
    app = Dash(__name__, use_async=False)
    app.layout = [ServerStore(id="orders"), html.Div(id="count")]
    frame = pd.DataFrame(np.zeros((1000, 4)))
    brain_callback(Output("orders", "data"), Input("year", "value"), app=app)(lambda year: frame)
    brain_callback(Output("count", "children"), Input("orders", "data"), app=app)(len)
    page = open_page(app)
    for _ in range(2):  # what is known after the first requests is not looked up again
        make(page)
        take(page)
    return page


def make(page: Page) -> None:
    page.props["year"] = {"value": 1}
    assert is_token(page.fire("orders.data", trigger="year.value")["orders"]["data"])


def take(page: Page) -> None:
    assert page.fire("count.children", trigger="orders.data") == {"count": {"children": 1000}}


def test_values_and_tokens_go_downwards_only(page):
    """No function calls one of a floor above its own, on either way, until the response is sent."""
    assert steps_up(lambda: make(page)) == []
    assert steps_up(lambda: take(page)) == []
