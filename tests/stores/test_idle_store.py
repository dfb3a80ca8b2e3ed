"""A store is swept while nobody uses it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore
from dash_brain.stores.mapped import store as mapped


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("brain/*/*") if path.is_file()]


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while files_of(folder):
        assert time.monotonic() < deadline, "the expired object still lies there"
        time.sleep(0.05)


def sweepers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "dash_brain-sweep"}


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_SWEEP_EVERY", 0.2)


def test_an_expired_object_is_removed_though_nobody_calls(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.put("brain/default", "a", [b"x"], ttl=0.3)
    assert files_of(tmp_path)
    wait_until_gone(tmp_path)
    with pytest.raises(ValueMissing):
        store.get("brain/default", "a")


def test_one_thread_sweeps_and_it_ends_when_the_store_is_closed(tmp_path: Path) -> None:
    before = sweepers()
    store = FileStore(tmp_path)
    store.put("brain/default", "a", [b"x"])
    assert not sweepers() - before, "what lives for good needs no thread"
    for _ in range(3):
        store.put("brain/default", "a", [b"x"], ttl=60)
    assert len(sweepers() - before) == 1
    store.close()
    deadline = time.monotonic() + 30
    while sweepers() - before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.filterwarnings(
    "ignore:This process:DeprecationWarning"
)  # Python 3.12: it has a thread, and forks
def test_a_forked_worker_sweeps_by_itself(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.put("brain/default", "a", [b"x"], ttl=60)
    child = os.fork()
    if not child:
        try:
            store.put("brain/default", "b", [b"x"], ttl=60)
            os._exit(len(sweepers()) != 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_thread_keeps_no_process_alive(tmp_path: Path) -> None:
    program = "import sys\nfrom dash_brain.stores import FileStore\n"
    program += "FileStore(sys.argv[1]).put('brain/default', 'a', [b'x'], ttl=60)"
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=20)
