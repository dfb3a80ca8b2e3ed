"""An app that a notebook serves, in a real kernel."""

from __future__ import annotations

import pytest
import requests
from jupyter_client.manager import start_new_kernel

from tests.backends import free_port

CODE = """
from dash import Dash, Input, Output, dcc, html
from dash_brain import ServerStore, brain_callback

app = Dash("notebook")
app.layout = [dcc.Input(id="n", value=2), ServerStore(id="kept"), html.Div(id="out")]

@brain_callback(Output("kept", "data"), Input("n", "value"))
def keep(n):
    return list(range(n))

@brain_callback(Output("out", "children"), Input("kept", "data"))
def show(kept):
    return len(kept)

app.run(jupyter_mode="{mode}", port={port})
"""


def call(session: requests.Session, url: str, output: str, source: str, value: object) -> object:
    leaves = [dict(zip(("id", "property"), name.split("."), strict=True)) for name in (output, source)]
    body = {
        "output": output,
        "outputs": leaves[0],
        "inputs": [{**leaves[1], "value": value}],
        "changedPropIds": [source],
    }
    answer = session.post(f"{url}/_dash-update-component", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()["response"][leaves[0]["id"]][leaves[0]["property"]]


@pytest.mark.filterwarnings("default")  # of the client of kernels
@pytest.mark.parametrize("mode", ["external", "inline", "tab"])
def test_an_app_of_a_notebook_has_sessions_and_stores(mode, tmp_path, monkeypatch):
    monkeypatch.setenv("DASH_BRAIN_STORE", f"file://{tmp_path}/store")
    manager, client = start_new_kernel()
    try:
        for _ in range(2):  # a cell is run again
            port = free_port()
            reply = client.execute(CODE.format(mode=mode, port=port), reply=True, timeout=60)
            assert reply["content"]["status"] == "ok", reply["content"]
            url, session = f"http://127.0.0.1:{port}", requests.Session()
            assert "dash_brain_" in session.get(url, timeout=30).headers["Set-Cookie"]
            token = call(session, url, "kept.data", "n.value", 3)
            assert str(token).startswith("db1.")
            assert call(session, url, "out.children", "kept.data", token) == 3
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
