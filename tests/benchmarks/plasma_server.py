"""brain-plasma 0.3.3, the last release, in an environment of its own, and the server that it needs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.venvs import python_with

PACKAGES = ("brain-plasma==0.3.3", "pyarrow==11.0.0", "numpy==1.26.4", "pandas==1.5.3")
#: Room for both versions of the largest frame, twice over: what Plasma has not freed yet counts as well.
STORE_BYTES = 1_500_000_000


def plasma_python() -> str:
    """Return the Python with brain-plasma, made at first need; pyarrow 11 needs Python 3.11 or older."""
    own = [sys.executable] if sys.version_info[:2] == (3, 11) else []
    return python_with("brain-plasma", PACKAGES, [*own, "python3.11", "python3.10"])


@contextmanager
def plasma_store(socket: Path, python: str) -> Iterator[int]:
    """Run the server that brain-plasma needs, while the block runs; gives its process id."""
    command = [Path(python).with_name("plasma_store"), "-m", str(STORE_BYTES), "-s", socket]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while not socket.exists():
                assert server.poll() is None, "plasma_store did not start"
                time.sleep(0.05)
            yield server.pid
        finally:
            server.terminate()
