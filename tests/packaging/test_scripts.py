"""What CI runs fails where it cannot do its work, instead of ending well."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml

from tests.programs import REPOSITORY

SCRIPTS = REPOSITORY / ".ci"


def run(script: str, *arguments: str, folder: Path = REPOSITORY, **env: str) -> int:
    command = ["bash", f".ci/{script}", *arguments]
    return subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True).returncode


def test_types_are_not_checked_without_pyright(tmp_path):
    programs, scripts = tmp_path / "bin", tmp_path / ".ci"
    programs.mkdir()
    scripts.mkdir()
    (programs / "bash").symlink_to(shutil.which("bash") or "bash")
    shutil.copy(SCRIPTS / "pyright.sh", scripts)
    (scripts / "layered.sh").write_text("exit 7  # as where no package index is reached")
    assert run("pyright.sh", folder=tmp_path, PATH=str(programs)) == 7


def test_a_release_of_python_that_is_not_there_is_an_error_in_ci(monkeypatch):
    assert run("pythons.sh", "3.99", CI="true") == 1
    monkeypatch.delenv("CI", raising=False)
    assert run("pythons.sh", "3.99") == 0


def test_a_release_is_used_before_it_is_uploaded():
    jobs = yaml.safe_load((REPOSITORY / ".github/workflows/publish.yml").read_text())["jobs"]
    steps = [step.get("run", step.get("uses", "")) for step in jobs["build"]["steps"]]
    used = next(number for number, step in enumerate(steps) if ".ci/smoke.py" in step)
    kept = next(number for number, step in enumerate(steps) if "upload-artifact" in step)
    assert used < kept
    assert jobs["upload"]["needs"] == "build"


def test_one_release_of_setuptools_builds_the_package():
    text = (SCRIPTS / "build.sh").read_text()
    assert re.search(r'"setuptools==[\d.]+" >"\$unpacked/constraints', text)
    assert "PIP_CONSTRAINT=$unpacked/constraints.txt" in text


def test_newer_actions_are_asked_for():
    (updates,) = yaml.safe_load((REPOSITORY / ".github/dependabot.yml").read_text())["updates"]
    assert (updates["package-ecosystem"], updates["directory"]) == ("github-actions", "/")
