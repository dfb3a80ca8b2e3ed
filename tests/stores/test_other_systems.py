"""The contract on systems that lack what Linux has: the names are taken away before anything is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

#: What macOS lacks, by module.
NOT_ON_MACOS = {
    "os": ["O_TMPFILE", "O_NOATIME", "posix_fallocate", "memfd_create"],
    "fcntl": ["F_OFD_SETLK", "F_OFD_SETLKW", "F_OFD_GETLK"],
    "mmap": ["MAP_NORESERVE"],
}
NO_FORK = {"os": ["fork", "forkpty", "register_at_fork"]}


@pytest.mark.parametrize("lacking", [NOT_ON_MACOS, NO_FORK], ids=["macOS", "no fork"])
def test_contract_holds_where_this_is_lacking(tmp_path, lacking):
    # Python runs this in every process before anything else, in those that the tests start, too.
    lines = [f"import {module}" for module in lacking]
    lines += [f"vars({module}).pop({name!r}, None)" for module, names in lacking.items() for name in names]
    (tmp_path / "sitecustomize.py").write_text("\n".join(lines))
    contract = ["tests/stores/test_contract.py", "-k", "TestFileStore or TestSharedMemoryStore"]
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *contract],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]


def test_names_are_really_taken_away(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os\nvars(os).pop('O_TMPFILE')")
    code = "from dash_brain.stores.mapped.system import platform; raise SystemExit(platform.TMPFILE)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == 0
