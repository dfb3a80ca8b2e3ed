"""Each example runs alone, as ``python examples/<name>.py``."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest
import requests

from tests.conftest import REPOSITORY

SUPPORT = {"theme", "tiles", "flights_data", "flights_views", "worker_memory", "feed", "private_folder"}
SCRIPTS = sorted({path.stem for path in REPOSITORY.glob("examples/*.py")} - SUPPORT)


@pytest.fixture(scope="module")
def urls():
    """All scripts at once, each on a port of its own."""
    ports = free_ports(len(SCRIPTS))
    running = [start(name, port) for name, port in zip(SCRIPTS, ports, strict=True)]
    yield {name: f"http://127.0.0.1:{port}" for name, port in zip(SCRIPTS, ports, strict=True)}
    for process in running:
        process.kill()
        process.wait()


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(name, port):
    command = [sys.executable, str(REPOSITORY / "examples" / f"{name}.py")]
    environment = {**os.environ, "PORT": str(port), "PYTHONPATH": str(REPOSITORY)}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment, cwd="/", **silent)


def get(url):
    """Return what answers there as soon as somebody listens."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return requests.get(url, timeout=30)
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_serves_its_page(urls, name):
    assert get(urls[name]).status_code == 200
    if name != "gallery":
        assert "props" in get(f"{urls[name]}/_dash-layout").text
