"""A store of a test's own in shared memory, and what lies in it, told by the file system and the kernel."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from dash_brain.stores import SharedMemoryStore
from tests.stores.places import place

#: What a store holds that is no object.
OWN_FILES = {"key", "ledger", "locks", "remembered"}

#: What every process that has the store open maps of it.
_ALWAYS_MAPPED = ("ledger", "remembered")


class Shelf:
    """A store in shared memory under a name that nobody else uses."""

    def __init__(self) -> None:
        self.store = SharedMemoryStore(f"torture-{secrets.token_hex(6)}")

    @property
    def folder(self) -> Path:
        return place(self.store)

    def environment(self, **settings: object) -> dict[str, str]:
        """Return the environment of processes that use it: ``environment(grace=1)``."""
        named = {f"DASH_BRAIN_{name.upper()}": str(value) for name, value in settings.items()}
        return {"DASH_BRAIN_STORE": f"shm://{self.store.name}", **named}

    def later(self, seconds: float) -> SharedMemoryStore:
        """Return the same store as it will be seen in so many seconds."""
        return SharedMemoryStore(self.store.name, clock=lambda: time.time() + seconds)

    def files(self, domain: str = "") -> set[str]:
        """Return the paths of all files below the store, or below one domain of it."""
        below = self.folder / domain
        return {str(path.relative_to(below)) for path in below.rglob("*") if not path.is_dir()}

    def nbytes(self) -> int:
        """Return the bytes that all files take, as the file system counts them: du."""
        return sum(_blocks(path) for path in self.folder.rglob("*"))

    def mapped_by(self, pids: Iterable[int]) -> list[str]:
        """Return the mappings of its objects that these processes hold; also of those that are gone."""
        ours = (line.rstrip() for pid in pids for line in maps_of(pid) if str(self.folder) in line)
        return [line for line in ours if not line.endswith(_ALWAYS_MAPPED)]

    def remove(self) -> None:
        """Remove it from the machine."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _blocks(path: Path) -> int:
    try:
        return os.lstat(path).st_blocks * 512 * (not path.is_dir())
    except FileNotFoundError:
        return 0


def maps_of(pid: int) -> list[str]:
    """Return the memory mappings of a process, one a line."""
    return Path(f"/proc/{pid}/maps").read_text().splitlines()


def descriptors_of(pid: int) -> int:
    """Return how many files a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_of(pid: int) -> int:
    """Return the bytes of memory that a process occupies, shared ones too."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def threads_of(pid: int) -> int:
    """Return how many threads a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))
