"""The command, as it is installed, or in this process, which takes a tenth of the time."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from dash_brain.cli.command import main
from dash_brain.settings import current
from tests.needs import missing

#: What ``pip install`` made of the entry point.
PROGRAM = Path(sys.executable).parent / "dash-brain"

#: The name of a session in a store, and what a command shows of it.
SESSION = "0123456789abcdef" * 2
SHOWN = f"{SESSION[:12]}…"


class Ran(NamedTuple):
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


def run(*arguments: str, store: str | None = None, typed: str = "", **environment: str) -> Ran:
    """Run the command in this process, on the store of a URL."""
    log = logging.getLogger("dash_brain")
    level = log.level
    current.forget()
    try:
        ran = CliRunner().invoke(
            main, arguments, input=typed, env=_environment(store, environment), catch_exceptions=False
        )
    finally:
        current.forget()
        log.setLevel(level)
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


def run_installed(
    *arguments: str, store: str | None = None, before: str | None = None, **environment: str
) -> Ran:
    """Run what is installed. ``before``: a shell command, which this needs root for, to mount something."""
    command = [str(PROGRAM), *arguments]
    if before is not None:
        command = ["unshare", "--mount", "sh", "-c", f'{before} && exec "$@"', "sh", *command]
    ran = subprocess.run(
        command,
        env={**os.environ, **_environment(store, environment)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    if "mount:" in ran.stderr or "unshare:" in ran.stderr:
        missing("the right to mount")
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def _environment(store: str | None, given: dict[str, str]) -> dict[str, str]:
    return given if store is None else {"DASH_BRAIN_STORE": store, **given}
