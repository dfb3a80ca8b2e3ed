"""brain-plasma 0.3.3, the last release, in an environment of its own, and the server that it needs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VENV = Path(__file__).resolve().parents[2] / ".venv" / "brain-plasma"
PACKAGES = ["pyarrow==11.0.0", "numpy==1.26.4", "pandas==1.5.3", "brain-plasma==0.3.3"]
#: Room for both versions of the largest frame, twice over: what Plasma has not freed yet counts as well.
STORE_BYTES = 1_500_000_000


@contextmanager
def plasma_store(socket: Path) -> Iterator[int]:
    """Run the server that brain-plasma needs, while the block runs; gives its process id."""
    command = [VENV / "bin" / "plasma_store", "-m", str(STORE_BYTES), "-s", socket]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while not socket.exists():
                assert server.poll() is None, "plasma_store did not start"
                time.sleep(0.05)
            yield server.pid
        finally:
            server.terminate()


def plasma_python() -> str | None:
    """Return the Python with brain-plasma, made at first need; None where there is no Python 3.11."""
    python = str(VENV / "bin" / "python")
    if not (VENV / "installed").exists():
        found = next(filter(is_python_311, (sys.executable, "python3.11")), None)
        if found is None:
            return None
        subprocess.run([found, "-m", "venv", VENV], check=True)
        install = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *PACKAGES]
        subprocess.run(install, check=True)
        (VENV / "installed").touch()
    return python


def is_python_311(python: str) -> bool:
    """Say whether this one runs and is the right one; a version manager's shim may do neither."""
    trial = [python, "-c", "import sys, ensurepip, venv; sys.exit(sys.version_info[:2] != (3, 11))"]
    try:
        return subprocess.run(trial, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False
