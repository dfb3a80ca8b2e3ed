"""Counting the package's own calls: no clock, so that load changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dash_brain

PACKAGE = str(Path(dash_brain.__file__).parent)

#: For tests that count.
counts_are_comparable = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="later releases of Python inline comprehensions: counts differ"
)


def fewest_calls(function: Callable[[], Any]) -> list[tuple[str, str]]:
    """Return module and name of each of the package's functions that is called while a function runs.

    Some things are looked up once in a second or minute: so it runs twice, and the cheaper run counts.
    """
    return min(_calls(function), _calls(function), key=len)


def _calls(function: Callable[[], Any]) -> list[tuple[str, str]]:
    found = []

    def note(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE):
            found.append((code.co_filename.removeprefix(f"{PACKAGE}/"), code.co_qualname))

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found
