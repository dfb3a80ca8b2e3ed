"""Releases of other libraries: what is too old is refused when a name of the package is imported."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

from dash_brain.floors import FLOORS
from tests.programs import REPOSITORY


def run(code: str, folder: Path, **installed: str) -> subprocess.CompletedProcess[str]:
    """Run code where these releases seem to be installed."""
    for name, release in installed.items():
        metadata = folder / f"{name}-{release}.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n")
    code = f"import sys; sys.path[:0] = {[str(folder), str(REPOSITORY)]}\n{code}"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, timeout=60
    )


OLD = (
    *(("dash", "2.18.2"), ("dash", "3.4.0"), ("dash", "4.4.0"), ("dash", "4.4.0rc1")),
    *(("flask", "2.2.5"), ("werkzeug", "2.2.2"), ("werkzeug", "3.0.6")),
    *(("pandas", "2.2.2"), ("pyarrow", "17.0.0")),
)
USES = (
    *("from dash_brain import Brain", "import dash_brain as d; d.Brain"),
    *("from dash_brain.codec import register", "from dash_brain.stores import open_store"),
)


@pytest.mark.parametrize(
    ("used", "name", "release"),
    [
        *(("from dash_brain import ServerStore", *old) for old in OLD),
        *((used, *old) for used in USES for old in (OLD[0], OLD[-1])),
    ],
)
def test_a_library_that_is_too_old_is_named_with_the_release_that_is_needed(used, name, release, tmp_path):
    ended = run(used, tmp_path, **{name: release})
    last = ended.stderr.strip().splitlines()[-1]
    error = "DashTooOld" if name == "dash" else "TooOld"
    said = f"dash_brain needs {name} {FLOORS[name]} or later, and {release} is installed: pip install "
    assert last.startswith(f"dash_brain.errors.{error}: {said}"), ended.stderr
    assert f'"{name}>={FLOORS[name]}"' in last


@pytest.mark.parametrize("release", ["4.4.1", "4.4.2", "4.5.0rc2", "4.5.0.dev3", "5.0.0", "10.0"])
def test_what_is_not_older_is_taken(release, tmp_path):
    assert run("from dash_brain import Brain", tmp_path, dash=release).stderr == ""


def test_a_dash_that_is_imported_already_counts(tmp_path):
    code = "import dash; dash.__version__ = '4.1.0'\nfrom dash_brain import Brain"
    assert "DashTooOld" in run(code, tmp_path).stderr


def test_apps_that_do_not_use_dash_brain_run_beside_one_that_is_refused(tmp_path):
    code = """
import dash
app = dash.Dash("plain")
app.layout = []
print(app.server.test_client().get("/").status_code, "dash_brain.hooks" in sys.modules)
"""
    assert run(code, tmp_path, pandas="1.5.3").stdout == "200 True\n"


def test_the_floors_are_those_that_pip_keeps():
    pinned = dict(re.findall(r"^(\w+)>=([\d.]+)$", "\n".join(requires("dash_brain") or []), re.MULTILINE))
    assert {name: pinned.get(name) for name in FLOORS} == FLOORS
