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
from pathlib import Path
from typing import TypeAlias
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.programs import REPOSITORY


@dataclass(frozen=True)
class Server:
    """A running gunicorn: where it listens (no slash at the end) and what it has printed so far."""

    url: str
    process: subprocess.Popen[bytes]
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
    threads: int = 1,  # Dash sets itself up during its first request: another thread's then fails
    env: Mapping[str, str] | None = None,
    folder: Path = REPOSITORY,
    options: Sequence[str] = (),
    within: Sequence[str] = (),
) -> Iterator[Server]:
    """Serve ``target`` (``"module:server"``, found in ``folder``) on a free port while the block runs.

    ``within`` is a command that becomes the one that it is given, such as ``unshare``.
    """
    handle, name = tempfile.mkstemp(prefix="gunicorn-", suffix=".log")
    command = [*within, sys.executable, "-m", "gunicorn", target, "--bind=127.0.0.1:0", f"--chdir={folder}"]
    command += [f"--workers={workers}", f"--threads={threads}", "--graceful-timeout=5", *options]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=handle,
        stderr=handle,
        start_new_session=True,  # a process group of its own, so that no worker outlives the test
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
    )
    os.close(handle)
    log_file = Path(name)
    try:
        yield Server(_wait_until_ready(process, log_file), process, log_file)
    finally:
        _stop(process)
        log_file.unlink()


def _wait_until_ready(process: subprocess.Popen[bytes], log_file: Path, timeout: float = 60) -> str:
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        listening = re.search(r"Listening at: (https?://\S+)", log_file.read_text(errors="replace"))
        if listening and _answers(listening[1]):
            return listening[1]
        time.sleep(0.05)
    raise RuntimeError(f"gunicorn does not answer; it printed:\n{log_file.read_text(errors='replace')}")


def _answers(url: str) -> bool:
    try:
        # The icon, because asking for the page or the layout would run the app's own code.
        # Certificates of tests are signed by nobody.
        urlopen(f"{url}/_favicon.ico", timeout=30, context=ssl._create_unverified_context()).close()
    except HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
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
