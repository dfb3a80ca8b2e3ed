"""Apps that the runners of ``dash.testing`` serve, as tests of users do."""

from __future__ import annotations

import pytest
from dash import Dash

from tests.app.test_asgi import Visitor
from tests.app.test_mounted import use
from tests.backends import ALL


@pytest.mark.parametrize("backend", ALL)
def test_an_app_in_a_thread_has_sessions_and_stores(backend, dash_thread_server):
    dash_thread_server(use(Dash("tested", backend=backend), "tested"))
    with Visitor(dash_thread_server.url) as visitor:
        token = visitor.call("kept.data", {"n.value": 3})
        assert token.startswith("db1.")
        assert visitor.call("out.children", {"kept.data": token}, **{"n.value": 3}) == "3 of tested"
