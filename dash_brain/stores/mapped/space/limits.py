"""What bounds a store, each as a limit that the one loop of :mod:`dash_brain.stores.reclaim` keeps."""

from __future__ import annotations

import os
from itertools import accumulate

from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.memory_pressure import MemoryPressure
from dash_brain.stores.mapped.spill.roots import SpillFolder
from dash_brain.stores.reclaim import Candidate, Limit

#: A put needs a file, and perhaps two folders around it.
_FEW_FILES = 4
#: Bytes of memory that the kernel does not count late, as it does with a few pages.
_SURE = 1 << 20


class Budget(Limit):
    """The store's budget, for an object whose room is reserved already."""

    def __init__(self, inventory: Inventory, path: str) -> None:
        self._inventory = inventory
        self._path = path
        self.slack = inventory.ledger.budget() // 16

    def credit(self) -> int:
        """Return the bytes that go when the object comes; as of now, for others may evict it."""
        replaced = self._inventory.volume.look(self._path)
        return replaced.nbytes if replaced is not None and replaced.link is None else 0

    def missing(self) -> int:
        """Return how many bytes have to go."""
        return -self._inventory.ledger.reserve(0) - self.credit()


class Quota(Limit):
    """What one client may keep in all."""

    def __init__(self, inventory: Inventory, account: str, path: str, nbytes: int, quota: int) -> None:
        self._inventory = inventory
        self._account = account
        self._path = path
        self._nbytes = nbytes
        self._quota = quota
        self.slack = quota // 16

    def most(self) -> int:
        """Return the bytes that may be in the account, with what the new object replaces."""
        replaced = self._inventory.volume.look(self._path)
        return self._quota + (replaced.nbytes if replaced is not None else 0)

    def missing(self) -> int:
        """Return how many bytes have to go."""
        return self._inventory.accounts.total(self._account) + self._nbytes - self.most()


class DiskShare(Limit):
    """What may be spilled to a disk."""

    def __init__(self, inventory: Inventory, folder: SpillFolder, nbytes: int) -> None:
        self._inventory = inventory
        self._folder = folder
        self._nbytes = nbytes

    def missing(self) -> int:
        """Return how many bytes have to go."""
        return self._folder.missing(self._nbytes, self._inventory.ledger.spilled())


class FileSystem(Limit):
    """The file system of a store, or the memory of the container if that lacks first.

    What readers map stays in memory when its name is removed, and what another container wrote takes none of
    our memory: so eviction goes on only while it frees something.
    """

    def __init__(self, inventory: Inventory, memory: MemoryPressure, nbytes: int, *, refused: bool) -> None:
        self._folder = inventory.volume.descriptor
        self._memory = memory
        #: Whether the kernel says that there is no room, whatever else it says.
        self._refused = refused
        self._nbytes = nbytes
        self.slack = inventory.ledger.budget() // 16
        self._look()

    def _look(self) -> None:
        found = os.statvfs(self._folder)
        enough = self._nbytes + self.slack
        memory = self._memory.left(enough)
        nbytes = found.f_bavail * found.f_frsize
        self._in_memory = memory < min(nbytes, enough)
        self._free = min(nbytes, memory)
        self._files = found.f_favail if found.f_files else _FEW_FILES

    def lacks_files(self) -> bool:
        """Say whether it is files that are lacking, if the file system counts them."""
        return self._files < _FEW_FILES

    def missing(self) -> int:
        """Return how many bytes have to go, as of the last look; for lack of files at least one more."""
        missing = self._nbytes - self._free
        return max(missing, 1) if self.lacks_files() or self._refused else missing

    def fits(self) -> bool:
        """Look again, and say whether the object fits."""
        self._refused = False
        self._look()
        return self.missing() <= 0

    def batch(self, going: list[Candidate]) -> int:
        """Return how many objects go before the next look: a sixteenth if files lack, else enough bytes."""
        if self.lacks_files():
            return max(len(going) // 16, 1)
        # Memory may be another container's: a batch that may be in vain is a small one.
        most = max(self._nbytes, _SURE) if self._in_memory else self._nbytes + self.slack
        freed = accumulate(candidate.nbytes for candidate in going)
        return next((number for number, nbytes in enumerate(freed, 1) if nbytes >= most), len(going))

    def eased(self, freed: int) -> bool:
        """Look again, and say whether more is free than before.

        Memory comes and goes with all that a container does: a little more of it is no sign.
        """
        free, files, in_memory = self._free, self._files, self._in_memory and not self.lacks_files()
        self._refused = False
        self._look()
        if in_memory:
            return self._free - free >= max(freed // 2, 1)
        return self._free > free or self._files > files
