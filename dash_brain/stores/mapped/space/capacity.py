"""Capacity: how much a store may hold where it lies."""

from __future__ import annotations

import logging
import os

from dash_brain.common.log import warn_of_store
from dash_brain.common.sizes import shown_size
from dash_brain.stores.faults import too_small
from dash_brain.stores.mapped.space.ledger import Ledger
from dash_brain.stores.mapped.space.memory_pressure import MemoryPressure
from dash_brain.stores.mapped.system import cgroups, platform

_log = logging.getLogger("dash_brain")

#: Below this a store is too small for large values, and says so.
SMALL = 256_000_000


def allowed_at(folder: int, used: int = 0, *, in_memory: bool) -> int:
    """Return how many bytes a store in this folder may use, whatever its budget says.

    That is half of the file system, since what readers still hold of removed values is not counted; and of
    memory a quarter of what this container may have, which shared memory is a part of. A disk has other users
    too: of what is free of it now, besides the ``used`` bytes, the store takes half.
    """
    found = os.statvfs(folder)
    limits = [
        found.f_blocks * found.f_frsize // 2 or cgroups.physical_memory() // 2
    ]  # a tmpfs may be unbounded
    if in_memory:
        limits += [allowed // 4 for allowed in cgroups.limits()]
    else:
        limits.append(used + found.f_bavail * found.f_frsize // 2)
    return min(limits)


class Capacity:
    """The capacity of one open store, given the descriptor and the path of its folder."""

    def __init__(self, folder: int, shown: str, ledger: Ledger) -> None:
        self._folder = folder
        self._shown = shown
        self._ledger = ledger
        self.in_memory = platform.is_memory(os.fstat(folder).st_dev)
        self.memory = MemoryPressure()
        self.measure()

    def measure(self) -> None:
        """Measure again how much the place allows."""
        self._ledger.allowed = allowed_at(self._folder, self._ledger.used(), in_memory=self.in_memory)
        if self.in_memory:
            self.memory.measure()

    def set_first(self, nbytes: int) -> None:
        """Set the budget of a new store; that of one which has a budget belongs to all who open it."""
        found = self._ledger.asked
        if not found:
            self._ledger.asked = nbytes
        elif found != nbytes:
            _log.warning(
                f"The store {self._shown} has a budget of {shown_size(found)} already, so size= with "
                f"{shown_size(nbytes)} changes nothing; Brain.resize() does."
            )

    def resize(self, nbytes: int) -> None:
        """Set the budget, for all who open the store."""
        used = self._ledger.used()
        if nbytes < used:
            raise too_small(nbytes, used)
        self._ledger.asked = nbytes
        if nbytes > self._ledger.allowed:
            _log.warning(self._too_much(nbytes))

    def warn_if_small(self) -> None:
        """Say in the log, once per process, when the place of the store is too small for large values."""
        asked = self._ledger.asked
        if self._ledger.allowed < (asked or SMALL):
            why = self._too_much(asked) if asked else self._larger()
            room = f"The store {self._shown} has room for {shown_size(self._ledger.allowed)} only."
            warn_of_store(self._shown, f"{room} {why}")

    def _too_much(self, asked: int) -> str:
        half = "or a quarter of the container's memory" if self.in_memory else "or half of what is free there"
        return (
            f"A budget of {shown_size(asked)} was asked for; the place allows "
            f"{shown_size(self._ledger.allowed)}: half of its file system, {half}. {self._larger()}"
        )

    def _larger(self) -> str:
        if self.in_memory:
            return (
                "What does not fit goes to a folder on disk if there is one, and is slower there. Give it "
                "more: docker run --shm-size=2g, or a folder on disk with file:///folder."
            )
        return "Give it more: a folder on a larger disk with file:///folder."
