"""What was measured, in docs/benchmarks.json: tables and charts of each part, and when and where that was."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.benchmarks.charts import Chart
from tests.benchmarks.timing import Line
from tests.programs import REPOSITORY

RESULTS = REPOSITORY / "docs/benchmarks.json"
#: What makes a difference, beside Python and the kernel.
PACKAGES = ("dash-brain", "dash", "flask", "pandas", "numpy", "pyarrow", "flask-caching", "dash-extensions")
PACKAGES += ("redis", "gunicorn", "uvicorn", "hypercorn", "botocore")

Results = dict[str, dict[str, Any]]


def known(file: Path = RESULTS) -> Results:
    """Return what was measured, by part."""
    found: Results = json.loads(file.read_text()) if file.exists() else {}
    return found


def kept(results: Results, file: Path) -> None:
    """Write down what was measured."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def part(measured: dict[str, Any], found: Iterable[Line | Chart]) -> dict[str, Any]:
    """Return what is kept of a part: its lines as tables, and its charts."""
    found = list(found)
    lines = [one for one in found if isinstance(one, Line)]
    tables = [
        {"columns": list(columns), "rows": [row(line) for line in group]}
        for columns, group in groupby(lines, key=lambda line: line.columns)
    ]
    charts = [one.record for one in found if isinstance(one, Chart)]
    return {"measured": measured, "tables": tables, "charts": charts}


def row(line: Line) -> dict[str, Any]:
    marked = {"readme": True} if line.readme else {}
    ran_with = {"versions": dict(line.versions)} if line.versions else {}
    seconds = [float(f"{one:.4g}") for one in line.seconds]
    return {"cells": list(line.cells), "seconds": seconds, **marked, **ran_with}


def surroundings() -> dict[str, Any]:
    """Say when and where this is measured, with which versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "machine": f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "versions": {"Python": platform.python_version(), **versions(PACKAGES)},
    }


def processor() -> str:
    """Return the name of the processor, where the system says it."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
