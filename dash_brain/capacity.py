"""How much a ``Brain`` may hold, and how much of that is left."""

from __future__ import annotations

from dash_brain.namespaces import Namespaces
from dash_brain.stores.base import needs_budget


class Capacity(Namespaces):
    """Named values within a budget: that of the store, for all namespaces, apps and sessions in it."""

    def size(self) -> int:
        """Return how many bytes the store may hold: its budget."""
        return needs_budget(self._store).budget()

    def used(self) -> int:
        """Return how many bytes all values in the store take, those of sessions and apps too.

        What was spilled to disk because shared memory was full is not among them.
        """
        return self._store.usage()

    def free(self) -> int:
        """Return how many bytes are left: ``size() - used()``, and 0 when more is used than that."""
        return max(self.size() - self.used(), 0)

    @property
    def bytes(self) -> int:
        """What ``size()`` returns."""
        return self.size()

    @property
    def mb(self) -> str:
        """What ``size()`` returns, in millions: ``"50 MB"``."""
        return f"{round(self.size() / 1_000_000)} MB"

    def resize(self, nbytes: int) -> None:
        """Let the store hold ``nbytes`` bytes, for all processes that open it. No value is lost.

        However much is asked for, shared memory gives half of ``/dev/shm`` at most, or a quarter of the
        container's memory if that is less; a folder gives half of its disk.

        Parameters
        ----------
        nbytes
            Bytes; also a text like ``"2GiB"``.

        Raises
        ------
        StoreFull
            When more is used already; nothing changes then.
        ValueError
            When it is no number of bytes.

        Examples
        --------
        >>> from dash_brain import Brain
        >>> from dash_brain.stores import MemoryStore
        >>> brain = Brain(store=MemoryStore())
        >>> brain.resize(50_000_000)
        >>> brain.mb, brain.used() + brain.free() == brain.size()
        ('50 MB', True)
        """
        needs_budget(self._store).resize(nbytes)
