"""Findings as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

_COLOURS = {"ok": "green", "note": "cyan", "warning": "yellow", "error": "red"}
_WIDTH = max(map(len, _COLOURS))


def of(report: dict[str, Any]) -> Iterator[str]:
    """Yield lines for each finding, and how many are bad."""
    for found in report["findings"]:
        level = click.style(f"{found['level']:{_WIDTH}}", fg=_COLOURS[found["level"]], bold=True)
        yield f"{level}  {found['check']}: {found['says']}"
        yield from _remedy(found)
    yield ""
    yield _verdict([found["level"] for found in report["findings"]])


def _remedy(found: dict[str, Any]) -> Iterator[str]:
    margin = " " * (_WIDTH + 2)
    if found["remedy"]:
        yield f"{margin}-> {found['remedy']}"
    for tool, text in found["lines"].items():
        first, *others = text.split("\n")
        yield f"{margin}   {tool + ':':11} {first}"
        yield from (f"{margin}   {'':11} {line}" for line in others)


def _verdict(levels: list[str]) -> str:
    counts = [
        f"{number} {level}{'s' * (number != 1)}"
        for level in ("error", "warning", "note")
        if (number := levels.count(level))
    ]
    return ", ".join(counts) + "." if counts else "All is well."
