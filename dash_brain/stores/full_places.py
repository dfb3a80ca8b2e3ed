"""Making place where the file system is full, or the memory of the container that it takes."""

from __future__ import annotations

import os
from typing import NamedTuple

from dash_brain.stores import candidates, pressure, walking
from dash_brain.stores.candidates import Candidate
from dash_brain.stores.eviction import HELD
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import evict_entry, remove_orphans
from dash_brain.stores.waiting import WRITING, moments, turn

#: A put needs a file, and perhaps two folders around it.
_FEW_FILES = 4
#: Bytes of memory that the kernel does not count late, as it does with a few pages.
_SURE = 1 << 20
#: Those who write into memory, as patience knows them.
_WRITERS = "memory writers"


class Place(NamedTuple):
    """What is left: bytes, and files if the file system counts them.

    Bytes are those of the file system, or of our container's memory if that lacks first (``in_memory``).
    """

    nbytes: int
    files: int | None
    in_memory: bool

    @classmethod
    def of(cls, root: Root, enough: int) -> Place:
        """Return what is left around a store; beyond ``enough`` bytes roughly."""
        found = os.statvfs(root.descriptor)
        nbytes, memory = found.f_bavail * found.f_frsize, root.room.memory_left(enough)
        in_memory = memory < min(nbytes, enough)
        return cls(min(nbytes, memory), found.f_favail if found.f_files else None, in_memory)

    def lacks_files(self) -> bool:
        """Say whether it is files that are lacking."""
        return self.files is not None and self.files < _FEW_FILES

    def fits(self, nbytes: int) -> bool:
        """Say whether an object of so many bytes has a place."""
        return self.nbytes >= nbytes and not self.lacks_files()

    def gained(self, before: Place, freed: int) -> bool:
        """Say whether there is more than before, now that so many bytes went.

        Memory comes and goes with all that a container does: a little more of it is no sign.
        """
        if before.in_memory and not before.lacks_files():
            return self.nbytes - before.nbytes >= max(freed // 2, 1)
        return self.nbytes > before.nbytes or (self.files or 0) > (before.files or 0)


def make_place(root: Root, nbytes: int, path: str, now: float, worst: int = HELD, *, looked: bool) -> bool:
    """Evict because the place of the store is full, and say whether that made more of it free.

    What readers hold stays where it is though its name goes, and what another container wrote takes none of
    our memory: when one batch made nothing free, no more goes. And nothing goes when all that may go would
    not be enough.

    Parameters
    ----------
    root, nbytes, path, now, worst
        As for ``make_room``.
    looked
        Whether the place was said to be full though it seems to have enough.
    """
    with turn(root, "evict"):
        enough = nbytes + root.room.slack()
        before = Place.of(root, enough)
        if before.fits(nbytes) and not looked:
            return True
        if _remove_orphans(root) and Place.of(root, enough).fits(nbytes):
            return True
        going = candidates.in_order(root, walking.folders(root), now, path, worst)
        if before.nbytes + candidates.total(going) < nbytes:
            return False
        batch = max(len(going) // 16, 1) if before.lacks_files() else 0
        progress = False
        while going:
            # Memory may be another container's: a batch that may be in vain is a small one.
            most = max(nbytes, _SURE) if before.in_memory else enough
            freed = _evict_batch(root, going, most, batch, now)
            after = Place.of(root, enough)
            if not after.gained(before, freed):
                return progress
            progress = True
            if after.fits(enough):
                return True
            before = after
        return progress


def wait_for_memory(root: Root, nbytes: int, path: str, now: float) -> bool:
    """Wait until others have written what they promised, and say whether an object has memory then.

    Half of what they write may be in memory already, and is promised still: there seems to be less than there
    is. What we promised ourselves keeps nobody waiting meanwhile.
    """
    root.ledger.promise(-nbytes)
    try:
        if not _gets_memory(root, nbytes):
            return False
    finally:
        root.ledger.promise(nbytes)
    # Others may have taken the room that was ours.
    return root.room.lacking() <= 0 or pressure.make_room(root, nbytes, path, now)


def _gets_memory(root: Root, nbytes: int) -> bool:
    with turn(root, "memory"):
        root.ledger.forgive()
        others = root.ledger.promised()
        patience = root.patience.seconds(_WRITERS, WRITING, others)
        for _ in moments(patience):
            promised = root.ledger.promised() + nbytes
            if root.room.memory_left(promised) >= promised:
                return True
            if promised == nbytes:
                return False
        if patience:
            root.patience.lose(_WRITERS, others)
        return False


def _remove_orphans(root: Root) -> int:
    """Remove what killed writers left where files cannot be written without a name: it is nobody's."""
    return sum(remove_orphans(root, folder) for folder in walking.folders(root))


def _evict_batch(root: Root, going: list[Candidate], nbytes: int, number: int, now: float) -> int:
    """Evict the first candidates: so many, or so many bytes of them; return how many bytes went."""
    freed = done = 0
    while going and (done < number if number else freed < nbytes):
        candidate = going.pop(0)
        if evict_entry(root, candidate.path, candidate.entry, now):
            freed, done = freed + candidate.entry.nbytes, done + 1
    return freed
