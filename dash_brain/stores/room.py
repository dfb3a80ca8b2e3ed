"""How much a store may hold, and how much of that is left."""

from __future__ import annotations

import logging
import os
import sys

from dash_brain.stores import budget, platform
from dash_brain.stores.eviction import HELD, IDLE
from dash_brain.stores.faults import too_small
from dash_brain.stores.ledger import Ledger
from dash_brain.stores.scarcity import Memory
from dash_brain.stores.searches import Search
from dash_brain.stores.sizes import shown_size

_log = logging.getLogger("dash_brain")

#: The stores that this process has warned of.
_warned: set[str] = set()


class Room:
    """The room in one open store.

    Parameters
    ----------
    folder
        Descriptor of its folder.
    ledger
        What it holds.
    """

    def __init__(self, folder: int, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        self.in_memory = platform.is_memory(os.fstat(folder).st_dev)
        self.memory = Memory() if self.in_memory else None
        self.budget_search = Search()
        #: For what may go at worst.
        self.place_search = {IDLE: Search(), HELD: Search()}
        self.measure()

    def measure(self) -> None:
        """Look anew how much the place allows."""
        self.limit = budget.limit(self._folder, self._ledger.used(), in_memory=self.in_memory)
        if self.memory is not None:
            self.memory.measure()

    def budget(self) -> int:
        """Return the bytes that the store may hold: as it was set, and never more than its place allows."""
        asked = self._ledger.budget
        return min(asked, self.limit) if asked else self.limit

    def slack(self) -> int:
        """Return how many bytes are freed beyond what is needed, so that it need not be done soon again."""
        return self.budget() // 16

    def lacking(self) -> int:
        """Return how many bytes too many there are, with those being written; less than none: are left."""
        return self._ledger.taken() - self.budget()

    def memory_left(self, enough: int) -> int:
        """Return how many bytes this container may still write into memory; beyond ``enough`` roughly."""
        return sys.maxsize if self.memory is None else self.memory.left(enough)

    def lacks_memory(self, nbytes: int) -> bool:
        """Say whether the container has too little memory for an object, which was promised."""
        return self.memory is not None and self.memory.lacks(nbytes, self._ledger.promised())

    def resize(self, nbytes: int) -> None:
        """Set the budget, for all who open the store."""
        used = self._ledger.used()
        if nbytes < used:
            raise too_small(nbytes, used)
        self._ledger.budget = nbytes
        if nbytes > self.limit:
            _log.warning("%s", self._too_much(nbytes))

    def warn_if_small(self, shown: str) -> None:
        """Say in the log, once per process, when the place of the store is too small for large values."""
        asked = self._ledger.budget
        if shown in _warned or (self.limit >= budget.SMALL if not asked else asked <= self.limit):
            return
        _warned.add(shown)
        _log.warning(
            "The store %s has room for %s only. %s",
            shown,
            shown_size(self.limit),
            self._too_much(asked) if asked else self._larger(),
        )

    def _too_much(self, asked: int) -> str:
        half = "or a quarter of the container's memory" if self.in_memory else "or half of what is free there"
        return (
            f"A budget of {shown_size(asked)} was asked for; the place allows {shown_size(self.limit)}: half "
            f"of its file system, {half}. {self._larger()}"
        )

    def _larger(self) -> str:
        if self.in_memory:
            return (
                "What does not fit goes to a folder on disk if there is one, and is slower there. Give it "
                "more: docker run --shm-size=2g, or a folder on disk with file:///folder."
            )
        return "Give it more: a folder on a larger disk with file:///folder."
