"""The log says once where the default store lies when shared memory is small, read-only or no memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from tests.needs import missing, needs_unshare
from tests.programs import REPOSITORY

pytestmark = needs_unshare

PROGRAM = """
from dash_brain import Brain
one, two = Brain("one", url="shm://place"), Brain("two", url="shm://place")
one["value"] = b"x" * 1000
assert two.view("one")["value"] == one["value"]
print(one._store.folder)
one.dead(True)
"""


def run_with(mount: str, temporary: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a mount namespace of its own, where something else is mounted at /dev/shm."""
    command = ["unshare", "--mount", "sh", "-c", f'{mount} /dev/shm && exec "$@"', "sh"]
    run = subprocess.run(
        [*command, sys.executable, "-c", PROGRAM],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": temporary},
        capture_output=True,
        text=True,
    )
    if "mount:" in run.stderr or "unshare:" in run.stderr:
        missing("the right to mount")
    assert run.returncode == 0, run.stderr
    return run


@pytest.fixture
def temporary():
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def test_ample_shared_memory_is_taken_without_a_word(temporary):
    run = run_with("mount -t tmpfs -o size=1g tmpfs", temporary)
    assert (run.stdout, run.stderr) == ("/dev/shm\n", "")


def test_small_shared_memory_is_taken_and_said_to_be_small_once(temporary):
    run = run_with("mount -t tmpfs -o size=64m tmpfs", temporary)
    assert run.stdout == "/dev/shm\n"
    assert run.stderr.count("has room for 33.6 MB only. What does not fit goes to a folder on disk") == 1
    assert "--shm-size=2g" in run.stderr


@pytest.mark.parametrize(
    ("mount", "why"),
    [
        ("mount -t tmpfs -o ro tmpfs", "is read-only for this process"),
        ("mount --bind /var/tmp", "is not a tmpfs"),
    ],
)
def test_a_place_on_disk_is_named_with_cause_and_cure_once(mount, why, temporary):
    run = run_with(mount, temporary)
    assert run.stdout == f"{temporary}\n"
    assert run.stderr.count(f"/dev/shm {why}, so the values of dash_brain lie in {temporary}") == 1
    assert "DASH_BRAIN_STORE=file:///folder" in run.stderr
