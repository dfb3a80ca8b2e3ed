"""What a callback costs, in calls of dash_brain's own functions: no clock, so that load changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash import Dash, Input, Output, html

import dash_brain
from dash_brain import ServerStore, brain_callback, configure
from tests.app.conftest import Page
from tests.app.test_callbacks import is_token

PACKAGE = str(Path(dash_brain.__file__).parent)

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="later releases of Python inline comprehensions: counts differ"
)


def fewest_calls(function: Callable[[], Any]) -> list[str]:
    """Return the names of the package's functions that are called while a function runs.

    Some things are looked up once in a second or minute: so it runs twice, and the cheaper run counts.
    """
    return min(calls(function), calls(function), key=len)


def calls(function: Callable[[], Any]) -> list[str]:
    found = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            found.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


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


def test_a_callback_that_returns_a_frame_takes_at_most_150_calls(page):
    assert len(fewest_calls(lambda: make(page))) <= 150


def test_a_callback_that_takes_a_frame_takes_at_most_90_calls(page):
    assert len(fewest_calls(lambda: take(page))) <= 90
