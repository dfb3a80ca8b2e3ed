"""A store and a folder in shared memory for one part of the benchmarks, and how both are written and read.

The other contender is what one would write by hand: pickle, protocol 5, in a file in /dev/shm.
"""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dash_brain import Brain

SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Workplace:
    """Where one part of the benchmarks works."""

    folder: Path
    #: Whether a quick look at small values is enough.
    draft: bool = False

    @property
    def brain(self) -> Brain:
        return opened(self.folder)

    def write_brain(self, name: str, value: Any) -> None:
        self.brain[name] = value

    def read_brain(self, name: str) -> Any:
        return self.brain[name]

    def write_pickle(self, name: str, value: Any) -> None:
        with (self.folder / name).open("wb") as file:
            pickle.dump(value, file, protocol=5)

    def replace_pickle(self, name: str, value: Any) -> None:
        """Put a file in the place of another at once: no reader sees half of it."""
        self.write_pickle(f"{name}.new", value)
        (self.folder / f"{name}.new").replace(self.folder / name)

    def read_pickle(self, name: str) -> Any:
        with (self.folder / name).open("rb") as file:
            return pickle.load(file)


@lru_cache
def opened(folder: Path) -> Brain:
    """Return the Brain of a folder, opened once per process as an app would."""
    return Brain(path=folder)


@contextmanager
def workplace(draft: bool = False) -> Iterator[Workplace]:
    root = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="dash_brain-bench-", dir=root))
    try:
        yield Workplace(folder, draft)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # a server that ends removes its socket
