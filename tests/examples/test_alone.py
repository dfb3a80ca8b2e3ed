"""Each example runs alone: ``python examples/<name>.py``; in ``examples``, ``python -m plain.<name>``."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
import requests

from tests import zygote
from tests.programs import REPOSITORY

SUPPORT = {
    *("theme", "tiles", "flights_data", "flights_views", "worker_memory", "feed", "private_folder"),
    *("backend", "explore_pages", "gallery_asgi", "gallery_code", "gallery_docs"),
}
EXAMPLES = REPOSITORY / "examples"
ALONE = {
    path.stem: ([str(path)], "/") for path in sorted(EXAMPLES.glob("*.py")) if path.stem not in SUPPORT
} | {
    f"plain.{path.stem}": (["-m", f"plain.{path.stem}"], EXAMPLES)
    for path in sorted(EXAMPLES.glob("plain/*.py"))
    if path.stem not in SUPPORT
}


@pytest.fixture(scope="module")
def urls():
    """All scripts at once, each on a port of its own."""
    ports = free_ports(len(ALONE))
    running = [start(name, port) for name, port in zip(ALONE, ports, strict=True)]
    yield {name: f"http://127.0.0.1:{port}" for name, port in zip(ALONE, ports, strict=True)}
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
    arguments, folder = ALONE[name]
    return zygote.start(arguments, output=Path(os.devnull), folder=folder, env={"PORT": str(port)})


def get(url):
    """Return what answers there as soon as somebody listens."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return requests.get(url, timeout=120)
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("name", ALONE)
def test_the_script_serves_its_page(urls, name):
    assert get(urls[name]).status_code == 200
    if name != "gallery":
        assert "props" in get(f"{urls[name]}/_dash-layout").text
