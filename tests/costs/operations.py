"""What is counted: a put, a get, and callbacks, each as it is when it has run before.

python -m tests.costs.operations FOLDER       # run under strace: each between two system calls that mark it
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from dash import Dash, Input, Output, dcc, html

from dash_brain import Brain, ServerStore, brain_callback, configure
from tests.benchmarks.callbacks import request_body, value_in
from tests.counting import PACKAGE, all_calls

OWN, MODULES = "own calls", "modules they pass"
LIBRARIES = "calls of any library, beyond those of a plain callback"
VALUE = {"year": 2024, "region": "x" * 900}
FRAME = pd.DataFrame(np.zeros((1000, 4)))
#: Runs that do not count, which open the store and learn what is replaced; and those that do. Together no
#: more than the values which a worker keeps for a page that claims none: each further one lets an old one go.
WARM, RUNS = 2, 2
SESSIONS = 5
#: The callback that the others are compared with.
PLAIN = "a callback of dcc.Store"

Operations = dict[str, Callable[[], Any]]


def warm(brain: Brain, app: Dash) -> Operations:
    """Return the operations by name, in a new session, which have run before."""
    found = of_a_brain(brain) | of_an_app(app)
    for operation in [*found.values()] * WARM:
        operation()
    return found


def of_a_brain(brain: Brain) -> Operations:
    """Return what is done with a small value."""
    brain["orders"] = VALUE
    return {
        "put 1 KB over the old": lambda: brain.__setitem__("orders", VALUE),
        "get 1 KB": lambda: brain["orders"],
    }


def small_app() -> Dash:
    """Return an app with a callback that returns a frame, one that takes it, and a plain one."""
    app = Dash("costs", use_async=False)
    app.layout = [ServerStore(id="orders"), html.Div(id="count"), dcc.Store(id="text"), html.Div(id="length")]
    brain_callback(Output("orders", "data"), Input("year", "value"), app=app)(lambda year: FRAME)
    brain_callback(Output("count", "children"), Input("orders", "data"), app=app)(len)
    app.callback(Output("length", "children"), Input("text", "data"))(len)
    return app


def of_an_app(app: Dash) -> Operations:
    """Return the callbacks, called as a page does; one page returns frames, another one takes one."""
    page, other = Page(app), Page(app)
    token = other.call("orders", "data", "year", "value", "1")
    text = '"' + "x" * (len(token) - 2) + '"'
    return {
        "a callback that returns a frame": lambda: page.call("orders", "data", "year", "value", "1"),
        "a callback that takes a frame": lambda: other.call("count", "children", "orders", "data", token),
        PLAIN: lambda: page.call("length", "children", "text", "data", text),
    }


class Page:
    """A page as far as its callbacks go, without a server."""

    def __init__(self, app: Dash) -> None:
        self._client = app.server.test_client()
        for path in ("/", "/_dash-layout", "/_dash-dependencies"):
            self._client.get(path)

    def call(self, output: str, output_property: str, source: str, source_property: str, value: str) -> str:
        """Call the callback of ``output`` and return what it returned, as JSON."""
        body = request_body(output, output_property, source, source_property, value)
        response = self._client.post("/_dash-update-component", data=body, content_type="application/json")
        text = response.get_data(as_text=True)
        assert response.status_code == 200, text[:1000]
        return value_in(text, output_property)


def of_python(calls: list[Any], plain: list[Any]) -> dict[str, int]:
    """Count own calls, the modules they pass, and calls of any library beyond the plain ones."""
    own = [code.co_filename for code in calls if code.co_filename.startswith(PACKAGE)]
    return {OWN: len(own), MODULES: len(set(own)), LIBRARIES: len(calls) - len(plain)}


def mark(name: str) -> None:
    """Make a system call that tells in a trace what comes next."""
    os.access(f"/marked/{name}", os.F_OK)


def main() -> None:
    """Print the calls in Python of each operation; then run each between marks, in several sessions.

    The folder for stores is the first argument. There are several sessions, because one run in a second also
    does what is due once a second.
    """
    gc.disable()
    configure(f"file://{sys.argv[1]}/app")
    brain, app, costs = Brain(path=f"{sys.argv[1]}/brain"), small_app(), {}
    calls = {name: all_calls(operation) for name, operation in warm(brain, app).items()}
    for name, made in calls.items():
        costs[name] = of_python(made, calls[PLAIN] if "callback" in name else [])
    print(json.dumps(costs))
    for _ in range(SESSIONS):
        for name, operation in [*warm(brain, app).items()] * RUNS:
            mark(name)
            operation()
            mark("")


if __name__ == "__main__":
    main()
