"""Settings of this process in which a store of the test's own takes the place of the configured one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from dash_brain.settings import Settings, current
from dash_brain.stores import FileStore, MemoryStore, Store
from dash_brain.stores.mapped.system import platform


@contextmanager
def temporary_store(folder: Path) -> Iterator[Store]:
    """Make a store that other processes can open too, where the system lets them; remove it at the end."""
    if not platform.SUPPORTED:
        yield MemoryStore(clock=_now)
        return
    store = FileStore(folder, clock=_now, monotonic=_monotonic)
    try:
        yield store
    finally:
        store.close()
        rmtree(folder, ignore_errors=True)


def _now() -> float:
    return time.time()  # a test may have replaced it after the store was made


def _monotonic() -> float:
    return time.monotonic()


class OwnStore:
    """Puts a store in the place of the configured one, and leaves all other settings as they are."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before: Settings | None = None
        self._ours: Settings | None = None

    def use(self) -> None:
        """Use the store from now on, with what ``configure()`` was given so far."""
        if self._ours is None or current.given is not self._ours:
            self._before = current.given
        settings = current.use() if self._before is None else self._before
        self._ours = replace(settings, store_or_url=self._store)
        _set(self._ours)

    def end(self) -> None:
        """Use the configured store again."""
        if self._ours is None or current.given is not self._ours:
            self._before = current.given
        _set(self._before)


def _set(settings: Settings | None) -> None:
    current.forget()
    if settings is not None:
        current.configure(settings)
