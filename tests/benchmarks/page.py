"""Fill what was measured into the documents, between marks that say what goes there, and draw the charts.

``<!-- bench: reading holding -->`` has tables and charts of these parts, ``<!-- bench: saves -->`` the lines
that the README shows, ``<!-- bench: measured -->`` when and where each part was measured. ``<!-- /bench -->``
ends each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.benchmarks.charts import Chart, drawn
from tests.benchmarks.results import Results
from tests.benchmarks.timing import COLUMNS
from tests.programs import REPOSITORY

DOCUMENTS = tuple(
    REPOSITORY / name for name in ("README.md", "docs/benchmarks.md", "docs/from-brain-plasma.md")
)
IMAGES = REPOSITORY / "docs/images"
_MARKED = re.compile(r"(<!-- bench: ([\w ]+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


def publish(results: Results) -> None:
    """Have all documents and charts say what was measured."""
    for document in DOCUMENTS:
        document.write_text(filled(document.read_text(), results))
    for file, svg in images(results).items():
        file.write_text(svg)


def filled(text: str, results: Results) -> str:
    """Return a document with what was measured between its marks."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{block(found[2], results)}\n\n{found[3]}", text)


def block(what: str, results: Results) -> str:
    """Return what goes between two marks."""
    if what == "saves":
        return "\n".join(table(COLUMNS, [row for row in rows(results, [*results]) if row.get("readme")]))
    if what == "measured":
        return "\n".join(measurements(results))
    parts = what.split()
    missing = [f"Not measured yet: `make bench ONLY={part}`." for part in parts if part not in results]
    pieces = [*missing, *tables(results, [part for part in parts if part in results]), *shown(results, parts)]
    return "\n\n".join(pieces)


def tables(results: Results, parts: Sequence[str]) -> Iterator[str]:
    """Yield the tables of parts; neighbours with the same columns are one."""
    every = (table for part in parts for table in results[part]["tables"])
    for columns, group in groupby(every, key=lambda table: table["columns"]):
        yield "\n".join(table(columns, [row for one in group for row in one["rows"]]))


def rows(results: Results, parts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for part in parts:
        for one in results[part]["tables"]:
            yield from one["rows"]


def table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield line(columns)
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield line(row["cells"])


def line(cells: Sequence[str]) -> str:
    return re.sub(" +", " ", f"| {' | '.join(cells)} |")


def measurements(results: Results) -> Iterator[str]:
    """Yield a table that says when, where and with which versions the parts were measured."""

    def said(part: str) -> list[str]:
        about = results[part]["measured"]
        versions = ", ".join(" ".join(one) for one in about.get("versions", {}).items())
        return [about["date"], about["machine"], about["kernel"], about["load"], versions]

    every = sorted(results, key=said)
    found = [{"cells": [", ".join(parts), *how]} for how, parts in groupby(every, key=said)]
    yield from table(("part", "date", "machine", "kernel", "load before", "versions"), found)


def shown(results: Results, parts: Sequence[str]) -> Iterator[str]:
    """Yield the charts of parts."""
    for part in parts:
        for chart in results.get(part, {}).get("charts", []):
            yield f"![{chart['title']}](images/{file_name(chart)})"


def images(results: Results) -> dict[Path, str]:
    """Return all charts by their files."""
    charts = [chart for part in results.values() for chart in part["charts"]]
    return {IMAGES / file_name(chart): drawn(Chart(**chart)) for chart in charts}


def file_name(chart: dict[str, Any]) -> str:
    return f"bench-{chart['name']}.svg"
