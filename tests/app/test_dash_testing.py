"""Apps that ``dash.testing`` serves in a thread, as tests of users do.

Each has a process of its own: with Flask, Dash ends the server by killing all threads that have begun since.
"""

from __future__ import annotations

import pytest

from tests import zygote
from tests.backends import ALL, PATIENCE, free_port

PROGRAM = """
from dash import Dash
from dash.testing.application_runners import ThreadedRunner
from tests.app.test_asgi import Visitor
from tests.app.test_mounted import use

with ThreadedRunner() as runner:
    runner.start(use(Dash("tested", backend={backend!r}), "tested"), start_timeout=60, port={port})
    with Visitor(runner.url) as visitor:
        token = visitor.call("kept.data", {{"n.value": 3}})
        print(token[:4], visitor.call("out.children", {{"kept.data": token}}, **{{"n.value": 3}}), flush=True)
"""


@pytest.mark.parametrize("backend", ALL)
def test_an_app_in_a_thread_has_sessions_and_stores(backend, tmp_path):
    program, said = tmp_path / "program.py", tmp_path / "said"
    program.write_text(PROGRAM.format(backend=backend, port=free_port()))
    env = {"DASH_BRAIN_STORE": f"file://{tmp_path}/store"}
    zygote.start([str(program)], output=said, env=env).wait(2 * PATIENCE)
    assert "db1. 3 of tested\n" in said.read_text()
