"""The contract on systems that lack what Linux has: the names are taken away before anything is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.packaging.programs import open_page, serving
from tests.programs import REPOSITORY
from tests.torture.sizes import SOAK

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
    # Both are the same code in different places.
    stores = "TestFileStore or TestSharedMemoryStore" if SOAK else "TestFileStore"
    contract = ["tests/stores/test_contract.py", "-k", stores]
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


#: What Windows lacks, taken away when those libraries are imported that would miss it here.
WINDOWS = """
import os, sys, mmap
import dash, flask, pandas, pyarrow
for name in "geteuid getuid uname fchmod register_at_fork fork pread pwrite preadv writev".split():
    vars(os).pop(name, None)
for name in "statvfs sysconf O_TMPFILE O_NOATIME O_DIRECTORY O_NOFOLLOW posix_fallocate memfd_create".split():
    vars(os).pop(name, None)
for name in "MAP_PRIVATE MAP_SHARED MAP_NORESERVE PROT_READ PROT_WRITE".split():
    vars(mmap).pop(name, None)
os.supports_dir_fd = set()
sys.modules["fcntl"] = sys.modules["resource"] = None
"""
FIRST_APP = """
from dash import Dash, Input, Output, dcc, html
from dash_brain import Brain, ServerStore, brain_callback, session_brain

brain = Brain("shop")
brain["prices"] = pandas.DataFrame({"price": [1.0, 2.0]})
app = Dash("first")
app.layout = [dcc.Input("apples", id="fruit"), ServerStore(id="seen"), html.Div(id="shown")]

@brain_callback(Output("seen", "data"), Input("fruit", "value"))
def remember(fruit):
    session_brain["fruit"] = fruit
    return pandas.DataFrame({"fruit": [fruit]})

@brain_callback(Output("shown", "children"), Input("seen", "data"), memoize="session")
def show(seen):
    return f"{seen['fruit'][0]} at {brain['prices']['price'].mean()}"

app.run()
"""


@pytest.mark.parametrize("store", [None, "shm://", "shm://name?size=1GiB"])
def test_first_app_works_without_private_folders_and_is_told_once_what_that_means(
    store, tmp_path, monkeypatch, browser_for_module
):
    monkeypatch.delenv("DASH_BRAIN_STORE")
    (tmp_path / "app.py").write_text(WINDOWS + FIRST_APP)
    with serving(tmp_path / "app.py", {"DASH_BRAIN_STORE": store} if store else {}) as program:
        open_page(browser_for_module, program)
        assert browser_for_module.find_element("id", "shown").text == "apples at 1.5"
        assert program.log.count("keeps values in the memory of this process (memory://)") == 1
