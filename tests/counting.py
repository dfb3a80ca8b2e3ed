"""Counting the package's own calls: no clock, so that load changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dash_brain
from tests.packaging.test_floors import floor_of, part_of

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


def all_calls(function: Callable[[], Any]) -> list[Any]:
    """Return the code of each Python function of any library that is called while a function runs."""
    return min(_profiled(function), _profiled(function), key=len)


def _calls(function: Callable[[], Any]) -> list[tuple[str, str]]:
    return [
        (code.co_filename.removeprefix(f"{PACKAGE}/"), code.co_qualname)
        for code in _profiled(function)
        if code.co_filename.startswith(PACKAGE)
    ]


def _profiled(function: Callable[[], Any]) -> list[Any]:
    found = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            found.append(frame.f_code)

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


def steps_up(function: Callable[[], Any]) -> list[str]:
    """Return the calls from one function of the package to one of a floor above, while a function runs."""
    found = []

    def note(frame: Any, event: str, _: Any) -> None:
        called, calling = _module(frame), _module(frame.f_back)
        if event != "call" or called is None or calling is None or _answers(frame.f_back):
            return
        if part_of(called) != part_of(calling) and floor_of(called) > floor_of(calling):
            found.append(f"{calling} calls {called}.{frame.f_code.co_qualname}")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


def _answers(frame: Any) -> bool:
    """Say whether a function applies what others registered for the response."""
    return bool(frame.f_code.co_qualname == "FlaskRequest._changed")


def _module(frame: Any) -> str | None:
    """Return the name of a frame's module within the package, None for another's."""
    name = "" if frame is None else frame.f_globals.get("__name__", "")
    return name.partition(".")[2] if name.partition(".")[0] == "dash_brain" else None
