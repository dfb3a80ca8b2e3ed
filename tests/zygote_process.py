"""The process that has loaded the libraries and forks a program for each connection; see ``tests.zygote``."""

from __future__ import annotations

import atexit
import gc
import json
import multiprocessing.context
import os
import runpy
import socketserver
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

LIBRARIES = (
    *("blake3", "dash", "pandas", "plotly.express", "plotly.graph_objects", "pyarrow", "pyarrow.compute"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "gunicorn.workers.sync"),
)

# Servers of ASGI spawn their workers, which would load all of this again.
multiprocessing.context._concrete_contexts["spawn"] = multiprocessing.get_context("fork")  # type: ignore[attr-defined]


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
    for library in (*LIBRARIES, *sys.argv[2:]):
        import_module(library)
    gc.freeze()  # what all share stays shared
    with _Server(sys.argv[1], _Keeper) as server:
        print("ready", flush=True)
        server.serve_forever()
