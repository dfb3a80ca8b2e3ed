"""Gunicorns that tests start."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests import zygote
from tests.ports import next_port
from tests.programs import REPOSITORY

Process: TypeAlias = "subprocess.Popen[bytes] | zygote.Program"


@dataclass(frozen=True)
class Server:
    """A running gunicorn: where it listens (no slash at the end) and what it has printed so far."""

    url: str
    process: Process
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


#: ``serve(target, workers=4, threads=1, env=None, folder=REPOSITORY, options=())``
Serve: TypeAlias = Callable[..., Server]


@contextmanager
def gunicorn(
    target: str,
    workers: int = 4,
    threads: int = 1,
    env: Mapping[str, str] | None = None,
    folder: Path = REPOSITORY,
    options: Sequence[str] = (),
    within: Sequence[str] = (),
    fork: bool = True,
    port: int = 0,
) -> Iterator[Server]:
    """Serve ``target`` (``"module:server"``, found in ``folder``) on a free port while the block runs.

    ``within`` is a command that becomes the one that it is given, such as ``unshare``. With ``fork`` it is
    forked from a process that has loaded the libraries; without, it shares no memory with others.
    """
    arguments = ["-m", "gunicorn", target, f"--bind=127.0.0.1:{port or next_port()}", f"--chdir={folder}"]
    # An idle connection of a browser keeps a worker from ending for as long as it may.
    arguments += [f"--workers={workers}", f"--threads={threads}", "--graceful-timeout=1", *options]
    env = env or {}
    with tempfile.TemporaryDirectory(prefix="gunicorn-") as place:
        log_file = Path(place, "log")
        log_file.touch()
        # gevent has to patch the standard library before anything else imports it.
        fork = fork and not within and zygote.can_start(env) and "worker-class" not in str(options)
        begin = zygote.start if fork else partial(start, within)
        process = begin(arguments, output=log_file, env=env)
        try:
            yield Server(_wait_until_ready(process, log_file), process, log_file)
        finally:
            stop(process)


def start(
    within: Sequence[str], arguments: Sequence[str], *, output: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Begin a Python that loads everything itself, in a process group of its own."""
    with output.open("ab") as log:
        return subprocess.Popen(
            [*within, sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        )


def _wait_until_ready(process: Process, log_file: Path, timeout: float = 120) -> str:
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        listening = re.search(r"Listening at: (https?://\S+)", log_file.read_text(errors="replace"))
        if listening and answers(listening[1]):
            return listening[1]
        time.sleep(0.05)
    raise RuntimeError(f"gunicorn does not answer; it printed:\n{log_file.read_text(errors='replace')}")


def answers(url: str) -> bool:
    try:
        # The icon, because asking for the page or the layout would run the app's own code.
        # Certificates of tests are signed by nobody.
        urlopen(f"{url}/_favicon.ico", timeout=30, context=ssl._create_unverified_context()).close()
    except HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


def stop(process: Process) -> None:
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
    finally:
        with suppress(ProcessLookupError):  # all of them are gone, as they should be
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start gunicorns that end with the test: ``serve("examples.gallery:server").url``."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(gunicorn(*args, **kwargs))


@pytest.fixture(scope="module")
def serve_for_module() -> Iterator[Serve]:
    """Start gunicorns that all tests of a module share."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(gunicorn(*args, **kwargs))
