"""The demo serves a page that works, and removes what it stored."""

from __future__ import annotations

import http.client
import json
import os
import time
from pathlib import Path

from dash_brain.stores import SharedMemoryStore
from tests import zygote
from tests.cli.commands import PROGRAM, run_installed
from tests.redis import free_port


def test_the_demo_serves_a_page_and_removes_its_store_at_the_end(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    log.touch()
    program = zygote.start([str(PROGRAM), "demo", "--port", str(port)], output=log)
    try:
        deadline = time.monotonic() + 60
        while "Serving" not in log.read_text() or not answers(port):
            assert program.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        components = [one["props"].get("id") for one in layout(port)["props"]["children"]]
        assert components == [None, "rows", "walk", "plot", "facts"]
        place = SharedMemoryStore(f"demo-{port}").place
        assert os.path.isdir(place)
        taken = run_installed("demo", "--port", str(port))
        assert (taken.status, f"port {port} already" in taken.err) == (1, True)
        assert os.path.isdir(place)
        program.terminate()
        assert program.wait(30) == 0, log.read_text()
        assert not os.path.exists(place)
    finally:
        program.kill()
    assert "Traceback" not in log.read_text()


def answers(port: int) -> bool:
    try:
        layout(port)
    except OSError:
        return False
    return True


def layout(port: int) -> dict:
    """Return the layout that the page asks for."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/_dash-layout")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
