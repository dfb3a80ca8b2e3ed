"""An environment for each peer, in .venv/peers: made at first need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.programs import REPOSITORY

VENVS = REPOSITORY / ".venv/peers"


class NotInstalled(Exception):
    """Something cannot be installed here; says why."""


def python_with(name: str, packages: Sequence[str], pythons: Sequence[str] = (sys.executable,)) -> str:
    """Return a Python that has these packages; the first of these that runs is what it is made with."""
    folder = VENVS / name
    python, stamp = folder / "bin/python", folder / "installed"
    if not stamp.exists() or stamp.read_text() != " ".join(packages):
        made_with = next(filter(runs, pythons), None)
        if made_with is None:
            raise NotInstalled(f"{' or '.join(pythons)} is not to be found here")
        said(made_with, "-m", "venv", "--clear", str(folder))
        install = ("-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile")
        said(str(python), *install, *packages)
        stamp.write_text(" ".join(packages))
    return str(python)


def said(*command: str) -> None:
    """Run a command; the last line that it prints is the reason if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "error" in line.lower()]
        raise NotInstalled((errors or done.stdout.splitlines() or ["it failed"])[-1].strip()[:200])


def runs(python: str) -> bool:
    """Say whether a Python is there and can make environments; a version manager's shim may do neither."""
    try:
        trial = subprocess.run([python, "-c", "import ensurepip, venv"], stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return trial.returncode == 0
