"""Where examples keep files: in folders that nobody else can prepare, and that are gone with them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.test_alone import free_ports, get
from tests.programs import REPOSITORY

NAMES = ("session_data", "signalling")


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files in which somebody else has guessed names."""
    for name in ("session-data-cache", "signalling-cache", "dash_brain-examples"):
        (tmp_path / name).mkdir(mode=0o777)
    yield tmp_path
    for name in ("session-data-cache", "signalling-cache", "dash_brain-examples"):
        assert not list((tmp_path / name).iterdir())


def heed_ctrl_c() -> None:
    """Undo that a shell has its background jobs ignore Ctrl-C, as those of the test command."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("name", NAMES)
def test_caches_lie_in_a_private_folder_that_is_gone_in_the_end(name, temporary):
    planted = set(temporary.iterdir())
    [port] = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", f"plain.{name}"],
        cwd=REPOSITORY / "examples",
        env={**os.environ, "TMPDIR": str(temporary), "PORT": str(port)},
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    try:
        assert get(f"http://127.0.0.1:{port}/").status_code == 200
        made = set(temporary.iterdir()) - planted
        caches = [path for path in made if any(path.glob("*"))]
        assert caches
        assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in made if path.is_dir())
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(60)
    assert not [path for path in caches if path.exists()]
