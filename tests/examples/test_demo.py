"""``make demo`` serves the gallery, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from dash_brain import Brain
from tests.examples.test_folders import heed_ctrl_c
from tests.programs import REPOSITORY


def test_the_demo_removes_its_store_and_its_caches_when_it_is_interrupted(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    env = {name: value for name, value in os.environ.items() if name != "DASH_BRAIN_STORE"}
    with tempfile.TemporaryDirectory() as temporary, (tmp_path / "log").open("wb") as log:
        env |= {"PORT": port, "TMPDIR": temporary, "WEB_CONCURRENCY": "2"}
        demo = subprocess.Popen(
            ["bash", ".ci/demo.sh"],
            cwd=REPOSITORY,
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=heed_ctrl_c,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            brain = Brain("load_once", url=f"shm://demo-{port}")
            place = Path(brain._store.place)
            assert "readings" in brain
            caches = [path for path in Path(temporary).iterdir() if any(path.glob("*"))]
            assert {stat.S_IMODE(path.stat().st_mode) for path in caches} == {0o700}
            os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
            assert demo.wait(60) == 0
        finally:
            if demo.poll() is None:
                demo.terminate()  # which ends the server, whose process group is another
        assert not place.exists()
        assert not [path for path in caches if path.exists()]
    assert "Traceback" not in (tmp_path / "log").read_text()


def wait_for(url):
    deadline = time.monotonic() + 120
    while True:
        try:
            return requests.get(url, timeout=120).raise_for_status()
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
