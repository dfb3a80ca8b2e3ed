"""The plugin of pytest: found by itself, and nearly free for those who use none of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.programs import REPOSITORY


def pytest_in(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_project_passes_its_tests_by_the_plugin_that_pytest_finds() -> None:
    assert "7 passed" in pytest_in(REPOSITORY / "examples/tested_app", "-rA")


def test_the_plugin_imports_nothing_for_those_who_do_not_use_it(tmp_path: Path) -> None:
    (tmp_path / "test_others.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    ours = {name for name in sys.modules if name.startswith('dash_brain')}\n"
        "    assert ours <= {*OURS}\n"
        "    assert not {'dash', 'pandas', 'numpy', 'werkzeug'} & set(sys.modules)\n"
        "OURS = ['dash_brain', 'dash_brain.floors', 'dash_brain.common', 'dash_brain.common.version',\n"
        "        'dash_brain.errors', 'dash_brain.testing', 'dash_brain.testing.plugin']\n"
    )
    # Without the plugins of other packages, which may import anything.
    env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(REPOSITORY), "PATH": ""}
    pytest_in(tmp_path, "-p", "dash_brain.testing.plugin", env=env)
