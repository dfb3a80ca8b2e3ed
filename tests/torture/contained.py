"""What runs inside the containers of a test, each function in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any

from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.stores import SharedMemoryStore
from tests.stores.places import ledger_of
from tests.stores.workers import check_pattern, patterned

MB = 1 << 20
SPACE = "session/contained"


def fill(mark: str, number: int, megabytes: int) -> dict[str, Any]:
    """Put values and read all of them back; tell how it went."""
    said = _Said()
    logging.getLogger("dash_brain").addHandler(said)
    store, refused = SharedMemoryStore(), 0
    for one in range(number):
        try:
            store.put(SPACE, f"{mark}-{one}", patterned(megabytes * MB), ttl=1000)
        except StoreFull as error:
            refused, said.error = refused + 1, str(error)
    found = [read(f"{mark}-{one}") for one in range(number)]
    return {
        "budget": store.budget(),
        "used": store.usage(),
        "refused": refused,
        "whole": found.count("whole"),
        "warned": said.lines,
        "error": said.error,
        "shm": _taken("/dev/shm"),
    }


def read(key: str) -> str:
    """Read one value, and say whether it is whole, or why there is none."""
    try:
        check_pattern(SharedMemoryStore().get(SPACE, key))
    except ValueMissing as error:
        return str(error)
    return "whole"


def read_all(mark: str, number: int) -> list[str]:
    """Read what was put under a mark, and say of each value whether it is whole."""
    return [read(f"{mark}-{one}") for one in range(number)]


def sweep() -> dict[str, int]:
    """Sweep, and return what is counted then."""
    store = SharedMemoryStore()
    return {"removed": store.sweep(), "spilled": ledger_of(store).spilled()}


def hold_memory(megabytes: int) -> None:
    """Take memory until somebody kills us."""
    held = os.urandom(MB) * megabytes
    print(json.dumps(len(held)), flush=True)
    time.sleep(1000)


class _Said(logging.Handler):
    """What the log said."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.error = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _taken(folder: str) -> int:
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*json.loads(sys.argv[2]))))
