"""Python programs that are forked from a process which has loaded the libraries: they start in milliseconds.

Importing Dash and pandas costs a second in each server, and in each of its workers. A program that is forked
imports only dash_brain and its own modules itself.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from tests.programs import REPOSITORY

LIBRARIES = (
    *("blake3", "dash", "pandas", "plotly.express", "plotly.graph_objects", "pyarrow", "pyarrow.compute"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "gunicorn.workers.sync"),
)
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
    arguments: Sequence[str], *, output: Path, folder: Path = REPOSITORY, env: Mapping[str, str] | None = None
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
    """
    env = {**os.environ, **(env or {})}
    order = {"arguments": [*arguments], "output": str(output), "folder": str(folder), "env": env}
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_address())
    connection.sendall(json.dumps(order).encode() + b"\n")
    return Program(connection)


@lru_cache(1)
def _address() -> str:
    """Return where the process listens that has loaded the libraries, and begin it first."""
    folder = tempfile.mkdtemp(prefix="zygote-")
    command = [sys.executable, "-m", __name__, f"{folder}/socket"]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, start_new_session=True)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return f"{folder}/socket"


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Forks a keeper for each program, and ends with the process that began it."""

    max_children = 1000
    _parent = os.getppid()

    def service_actions(self) -> None:
        super().service_actions()
        if os.getppid() != self._parent:
            raise SystemExit


class _Keeper(socketserver.StreamRequestHandler):
    """Begins one program, and tells how it ended."""

    def handle(self) -> None:
        order = json.loads(self.rfile.readline())
        child = os.fork()
        if not child:
            os._exit(_become(**order))
        self.wfile.write(b"%d\n" % child)
        status = os.waitpid(child, 0)[1]
        with suppress(BrokenPipeError):  # who began it has ended
            self.wfile.write(b"%d" % os.waitstatus_to_exitcode(status))


def _become(arguments: list[str], output: str, folder: str, env: dict[str, str]) -> int:
    """Be the program until its end, and return its exit code."""
    code: object = 1
    try:
        os.setsid()
        _open_files(output)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(folder)
        code = _run(arguments)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as an interpreter does
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    return code if isinstance(code, int) else int(code is not None)


def _open_files(output: str) -> None:
    """Have standard input be empty, and what is printed go to a file; close what else the fork has open."""
    os.closerange(3, 256)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (1, 2):
        os.dup2(os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), number)
    os.closerange(3, 256)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", buffering=1), open(2, "w", buffering=1)  # noqa: SIM115


def _run(arguments: list[str]) -> None:
    paths = [
        path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", *sys.path)
    ]
    if arguments[0] == "-m":
        sys.path[:1] = [os.getcwd(), *paths]
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[:1] = [str(Path(arguments[0]).resolve().parent), *paths]
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()  # what all share stays shared
    with _Server(sys.argv[1], _Keeper) as server:
        print("ready", flush=True)
        server.serve_forever()
