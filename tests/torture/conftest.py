"""Shelves: stores in shared memory that end with the test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from dash_brain.settings import current
from tests.servers import Serve, Server
from tests.torture.shelves import Shelf


@pytest.fixture
def serve(serve: Serve) -> Iterator[Serve]:
    """Start gunicorns; when the test fails, pytest shows what they said last."""
    servers: list[Server] = []

    def started(*arguments: Any, **options: Any) -> Server:
        servers.append(serve(*arguments, **options))
        return servers[-1]

    yield started
    for server in servers:
        print(server.log[:2000], "\n...\n", server.log[-5000:])
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)  # its group; a graceful end takes seconds


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.remove()


@pytest.fixture
def own_settings(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> Iterator[None]:
    """Let this process be the app: with the shelf as its store, and the settings of a fresh process."""
    from tests.torture.served import server, with_users

    for name, value in shelf.environment().items():
        monkeypatch.setenv(name, value)
    # What a worker does when it ends would make the store anew.
    monkeypatch.setattr("dash_brain.web.sessions.worker_keys.atexit", Mock())
    monkeypatch.setattr(server.logger, "disabled", True)  # of each error of a callback, thousands of times
    current.forget()
    with_users()
    yield
    current.forget()
