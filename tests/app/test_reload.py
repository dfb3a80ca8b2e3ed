"""The reloader of FastAPI; that of Flask is in ``tests/torture/test_recycled.py``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from dash_brain.common.polling import wait_for
from tests.app.test_asgi import Visitor
from tests.backends import PATIENCE, free_port
from tests.servers import answers

APP = """
import os
from dash import Dash, Input, Output, dcc, html
from dash_brain import ServerStore, brain_callback

app = Dash(backend="fastapi")
server = app.server
app.layout = [dcc.Input(id="n"), ServerStore(id="a"), html.Div(id="out")]

@brain_callback(Output("a", "data"), Input("n", "value"))
def load(n):
    return {"n": n}

@brain_callback(Output("out", "children"), Input("a", "data"))
def show(a):
    return f"{a} in {os.getpid()}"

if __name__ == "__main__":
    app.run(debug=True, port=int(os.environ["PORT"]))
"""


def test_values_outlive_a_reload_of_fastapi(tmp_path: Path) -> None:
    file, port = tmp_path / "app.py", free_port()
    file.write_text(APP)
    env = {**os.environ, "DASH_BRAIN_STORE": f"file://{tmp_path}/store", "PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, file.name],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        assert wait_for(lambda: answers(url) or None, PATIENCE), "the app does not answer"
        with Visitor(url) as visitor:
            token = visitor.call("a.data", {"n.value": 4})

            def shown(but: str = "") -> str | None:
                try:
                    text = str(visitor.call("out.children", {"a.data": token}))
                except httpx.TransportError:  # between two of its processes
                    return None
                return None if text == but else text

            before = shown() or ""
            file.write_text(f"{APP}\n# changed\n")
            after = wait_for(lambda: shown(before), PATIENCE)
        assert after is not None, "it does not reload"
        assert after.startswith("{'n': 4} in ")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
