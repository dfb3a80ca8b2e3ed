"""Making room in a store that is full."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from dash_brain.stores import files, walking
from dash_brain.stores.entries import Entry
from dash_brain.stores.eviction import HELD, rank
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import evict_entry

#: A put needs a file, and perhaps two folders around it.
_FEW_FILES = 4
#: How often all objects are looked at for one put.
_WALKS = 8


class Candidate(NamedTuple):
    """An object that may go; the smallest goes first."""

    rank: int
    used: float
    path: str
    entry: Entry


class Place(NamedTuple):
    """What the file system has left: bytes, and files if it counts them."""

    nbytes: int
    files: int | None

    @classmethod
    def of(cls, folder: int) -> Place:
        """Return what is left around a folder."""
        found = os.statvfs(folder)
        return cls(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)

    def lacks_files(self) -> bool:
        """Say whether it is files that are lacking."""
        return self.files is not None and self.files < _FEW_FILES

    def fits(self, nbytes: int) -> bool:
        """Say whether an object of so many bytes has a place."""
        return self.nbytes >= nbytes and not self.lacks_files()

    def is_more_than(self, other: Place) -> bool:
        """Say whether there is more of anything."""
        return self.nbytes > other.nbytes or (self.files or 0) > (other.files or 0)


def candidates(
    root: Root,
    folders: Iterable[str],
    now: float,
    besides: str,
    worst: int = HELD,
    *,
    spilled: bool = False,
) -> list[Candidate]:
    """Return what may go from some folders, in order; not what lies under the path ``besides``.

    What was ``spilled`` takes none of the store's own room.
    """
    found = []
    for folder in folders:
        domain = folder.partition("/")[0]
        for name, entry in walking.objects(root, folder):
            if entry.lost or (entry.spilled and not spilled):
                continue
            used = entry.found.st_atime
            ranked = rank(domain, files.expiry(entry.found), used, now)
            if ranked is not None and ranked <= worst and f"{folder}/{name}" != besides:
                found.append(Candidate(ranked, used, f"{folder}/{name}", entry))
    return sorted(found, key=lambda one: one[:3])


def total(going: Iterable[Candidate]) -> int:
    """Return the bytes of what may go."""
    return sum(candidate.entry.nbytes for candidate in going)


def make_room(root: Root, nbytes: int, path: str, now: float, worst: int = HELD) -> bool:
    """Evict until an object of ``nbytes`` bytes, which was promised, keeps within the budget.

    Somewhat more goes than is needed, so that the next walk over all objects is far away. Nothing goes when all
    that may go would not be enough.

    Returns
    -------
    bool
        Whether there is room now.
    """
    replaced = root.look(path)
    credit = replaced.nbytes if replaced is not None and not replaced.spilled else 0
    if root.room.lacking() <= credit:
        return True
    if nbytes - credit > root.room.budget():
        return False
    with root.hold("evict"):
        # Others go on putting what fits: what was seen may be gone, and room that was made be taken.
        for _ in range(_WALKS):
            if root.room.lacking() <= credit:
                return True  # somebody made room while we waited
            going = candidates(root, walking.folders(root), now, path, worst)
            if not _evict_down_to(root, credit, going, now):
                break
        return root.room.lacking() <= credit


def _evict_down_to(root: Root, credit: int, going: list[Candidate], now: float) -> bool:
    """Evict until there is enough room and some more; say whether that could be."""
    if not going or root.room.lacking() - credit > total(going):
        return False
    for candidate in going:
        if root.room.lacking() <= credit - root.room.slack():
            break
        evict_entry(root, candidate.path, candidate.entry, now)
    return True


def make_place(root: Root, nbytes: int, path: str, now: float, worst: int = HELD, *, looked: bool) -> bool:
    """Evict because the file system is full, and say whether that made more of it free.

    What readers hold stays where it is though its name goes: when one batch made nothing free, no more goes. And
    nothing goes when all that may go would not be enough.

    Parameters
    ----------
    root, nbytes, path, now, worst
        As for ``make_room``.
    looked
        Whether the file system said that it is full though it seems to have enough.
    """
    with root.hold("evict"):
        before = Place.of(root.descriptor)
        if before.fits(nbytes) and not looked:
            return True
        going = candidates(root, walking.folders(root), now, path, worst)
        if before.nbytes + total(going) < nbytes:
            return False
        enough = nbytes + root.room.slack()
        batch = max(len(going) // 16, 1) if before.lacks_files() else 0
        progress = False
        while going:
            _evict_batch(root, going, enough, batch, now)
            after = Place.of(root.descriptor)
            if not after.is_more_than(before):
                return progress
            progress = True
            if after.fits(enough):
                return True
            before = after
        return progress


def _evict_batch(root: Root, going: list[Candidate], nbytes: int, number: int, now: float) -> None:
    """Evict the first candidates: so many, or so many bytes of them."""
    freed = done = 0
    while going and (done < number if number else freed < nbytes):
        candidate = going.pop(0)
        if evict_entry(root, candidate.path, candidate.entry, now):
            freed, done = freed + candidate.entry.nbytes, done + 1
