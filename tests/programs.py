"""Programs that tests start, and where the source of dash_brain lies."""

from __future__ import annotations

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def find(*programs: str) -> str:
    """Return the path of the first of these programs that is installed."""
    for program in programs:
        if found := shutil.which(program):
            return found
    raise RuntimeError(f"{' or '.join(programs)} is not installed; `make test` says how to get it.")
