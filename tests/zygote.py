"""Python programs that are forked from a process which has loaded the libraries: they start in milliseconds.

Importing Dash and pandas costs a second in each server, and in each of its workers. A program that is forked
imports only dash_brain and its own modules itself.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from tests.programs import REPOSITORY

#: The servers of FastAPI and Quart, and what they need.
ASGI = ("uvicorn.main", "fastapi", "hypercorn.__main__", "quart")

#: What an interpreter reads when it starts, and a fork does not.
_READ_AT_THE_START = ("PYTHON", "MALLOC_", "LD_")


def can_start(env: Mapping[str, str]) -> bool:
    """Say whether these changes to our environment have their effect on a program that is forked."""
    return not any(name.startswith(_READ_AT_THE_START) and name != "PYTHONPATH" for name in env)


class Program:
    """A program that was forked, with what tests use of :class:`subprocess.Popen`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.pid = int(connection.makefile("rb", buffering=0).readline())
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = int(self._connection.recv(100))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("a program", timeout or 0) from None
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(self.pid, number)

    def __del__(self) -> None:
        self._connection.close()

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    *,
    output: Path,
    folder: Path = REPOSITORY,
    env: Mapping[str, str] | None = None,
    besides: tuple[str, ...] = (),
) -> Program:
    """Begin ``python <arguments>``, with a file or with ``-m`` and a module, in a process group of its own.

    Parameters
    ----------
    output
        The file that it appends to what it prints.
    folder
        Where it begins.
    env
        Changes to our environment.
    besides
        Modules that it finds loaded, besides those that all do.
    """
    env = {**os.environ, **(env or {})}
    order = {"arguments": [*arguments], "output": str(output), "folder": str(folder), "env": env}
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_address(besides))
    connection.sendall(json.dumps(order).encode() + b"\n")
    return Program(connection)


@lru_cache
def _address(besides: tuple[str, ...]) -> str:
    """Return where the process listens that has loaded the libraries, and begin it first."""
    folder = tempfile.mkdtemp(prefix="zygote-")
    command = [sys.executable, "-m", "tests.zygote_process", f"{folder}/socket", *besides]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, start_new_session=True)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return f"{folder}/socket"
