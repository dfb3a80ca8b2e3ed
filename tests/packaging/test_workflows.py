"""What GitHub and pre-commit are told to run exists, and may do no more than it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.documents import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(workflow.read_text())["jobs"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_exists(workflow):
    commands = "\n".join(step.get("run", "") for job in jobs(workflow).values() for step in job["steps"])
    scripts = set(re.findall(r"\.ci/[\w.]+", commands))
    targets = set(re.findall(r"make (\w+)", commands))
    assert scripts | targets
    assert [script for script in scripts if not (REPOSITORY / script).is_file()] == []
    assert targets <= set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_the_source_and_nothing_else(workflow):
    assert yaml.safe_load(workflow.read_text())["permissions"] == {"contents": "read"}
    assert "secrets." not in workflow.read_text()
    for job in jobs(workflow).values():
        assert "timeout-minutes" in job
        builds = any("run" in step for step in job["steps"])
        assert not (builds and "permissions" in job)  # what runs code of the project gets no right to publish


def test_what_is_published_is_attested_and_no_token_is_kept():
    (upload,) = (step for step in jobs(REPOSITORY / ".github/workflows/publish.yml")["upload"]["steps"][1:])
    assert upload["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert upload["with"] == {"attestations": True}


def test_pre_commit_runs_what_ci_checks():
    (local,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    programs = {hook["entry"].split()[0].rpartition("/")[2] for hook in local["hooks"]}
    checked = re.findall(r"\.venv/bin/(\w+)", (REPOSITORY / ".ci/test.sh").read_text())
    assert programs - {"python"} == set(checked) - {"python"}
