"""Apps on the backends of Dash, each on the server that comes with it: gunicorn, uvicorn, hypercorn."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests import zygote
from tests.ports import next_port
from tests.servers import Process, Server, answers, gunicorn, start, stop

#: The backend that this run is for.
BACKEND = os.environ.get("BACKEND") or "flask"

#: Those whose callbacks share an event loop, with the command that serves an app.
ASGI = {
    # On a busy machine a worker does not say within 5 s that it is well.
    "fastapi": ["uvicorn", "--host=127.0.0.1", "--port={port}", "--timeout-worker-healthcheck=60"],
    "quart": ["hypercorn", "--bind=127.0.0.1:{port}"],
}
ALL = ["flask", *ASGI]

PATIENCE = 60.0


@contextmanager
def serving(
    target: str, backend: str = BACKEND, workers: int = 2, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Serve ``"module:server"``, made with ``Dash(backend=$BACKEND)``, while the block runs."""
    env = {"BACKEND": backend, **(env or {})}
    if backend == "flask":
        # Threads: browsers open connections that they never use, and a worker without threads waits there.
        with gunicorn(target, workers=workers, threads=4, env=env) as server:
            yield server
        return
    with tempfile.TemporaryDirectory(prefix="asgi-") as place:
        log_file = Path(place, "log")
        log_file.touch()
        url = f"http://127.0.0.1:{next_port()}"
        process = _begin(backend, target, url.rpartition(":")[2], workers, log_file, env)
        try:
            _wait_until_ready(url, process, log_file)
            yield Server(url, process, log_file)
        finally:
            stop(process)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _begin(
    backend: str, target: str, port: str, workers: int, log_file: Path, env: Mapping[str, str]
) -> Process:
    program, *options = (part.format(port=port) for part in ASGI[backend])
    arguments = ["-m", program, target, *options, f"--workers={workers}"]
    is_forked = zygote.can_start(env)
    begin = partial(zygote.start, besides=zygote.ASGI) if is_forked else partial(start, ())
    return begin(arguments, output=log_file, env=env)


def _wait_until_ready(url: str, process: Process, log_file: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if answers(url):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer; it printed:\n{log_file.read_text(errors='replace')}")
