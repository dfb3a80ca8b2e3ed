"""What an import costs: a process that only shares values never loads Dash or pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"pandas", "polars", "redis", "botocore", "flask_caching", "sklearn", "dash", "flask", "plotly"}
HEAVY |= {"prometheus_client", "opentelemetry"}


def loaded_by(code: str, folder: Path) -> set[str]:
    """Run ``code`` in a fresh interpreter and return the top-level modules that it has loaded."""
    report = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", code + report]
    return set(
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    )


def test_importing_the_package_loads_no_heavy_library(tmp_path: Path) -> None:
    assert not HEAVY & loaded_by("import dash_brain", tmp_path)


@pytest.mark.parametrize("name", ["Brain", "open_store", "stats"])
def test_named_values_come_without_dash(name: str, tmp_path: Path) -> None:
    assert not HEAVY & loaded_by(f"from dash_brain import {name}", tmp_path)


def test_sharing_a_plain_value_loads_no_heavy_library(tmp_path: Path) -> None:
    code = f"""
from dash_brain import Brain
brain = Brain(path={str(tmp_path)!r})
brain["limits"] = {{"low": 1, "high": 2}}
assert brain["limits"]["high"] == 2
"""
    assert not HEAVY & loaded_by(code, tmp_path)
