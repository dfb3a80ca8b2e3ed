"""Making room in a store that is full."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from dash_brain.stores import files, walking
from dash_brain.stores.entries import Entry
from dash_brain.stores.eviction import HELD, IDLE, rank
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import evict_entry
from dash_brain.stores.waiting import WRITING, moments, turn

#: A put needs a file, and perhaps two folders around it.
_FEW_FILES = 4


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
    found = [
        Candidate(ranked, entry.found.st_atime, path, entry)
        for ranked, path, entry in _ranked(root, folders, now, besides, spilled=spilled)
        if ranked is not None and ranked <= worst
    ]
    return sorted(found, key=lambda one: one[:3])


def kept(root: Root, folders: Iterable[str], now: float, besides: str, *, spilled: bool = False) -> int:
    """Return the bytes of what never goes from some folders."""
    ranked = _ranked(root, folders, now, besides, spilled=spilled)
    return sum(entry.nbytes for dear, _, entry in ranked if dear is None)


def _ranked(
    root: Root, folders: Iterable[str], now: float, besides: str, *, spilled: bool
) -> Iterator[tuple[int | None, str, Entry]]:
    for folder in folders:
        domain = folder.partition("/")[0]
        for name, entry in walking.objects(root, folder):
            path = f"{folder}/{name}"
            if not entry.lost and (spilled or not entry.spilled) and path != besides:
                yield rank(domain, files.expiry(entry.found), entry.found.st_atime, now), path, entry


def total(going: Iterable[Candidate]) -> int:
    """Return the bytes of what may go."""
    return sum(candidate.entry.nbytes for candidate in going)


def make_room(root: Root, nbytes: int, path: str, now: float, worst: int = HELD) -> bool:
    """Evict until an object of ``nbytes`` bytes, which was promised, keeps within the budget.

    Somewhat more goes than is needed, so that the next walk over all objects is far away. Nothing goes when
    all that may go would not be enough.

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
    with _in_turn(root, nbytes):
        # Others go on putting what fits: what was seen may be gone, and room that was made be taken.
        for _ in moments(WRITING):
            if root.room.lacking() <= credit:
                return True  # somebody made room while we waited
            going = candidates(root, walking.folders(root), now, path, worst)
            if not _evict_down_to(root, credit, going, now) and (
                worst < HELD or not _will_do(root, nbytes, path, now)
            ):
                break
        return root.room.lacking() <= credit


@contextmanager
def _in_turn(root: Root, promised: int) -> Iterator[None]:
    """Make room while nobody else does; what was promised takes no room from others until it is our turn."""
    with ExitStack() as held:
        root.ledger.promise(-promised)
        try:
            held.enter_context(turn(root, "evict"))
        finally:
            root.ledger.promise(promised)
        yield


def _will_do(root: Root, nbytes: int, path: str, now: float) -> bool:
    """Say whether there is enough to evict once others, if they live, have written what they promised."""
    root.ledger.forgive()
    return kept(root, walking.folders(root), now, path) + nbytes <= root.room.budget()


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

    What readers hold stays where it is though its name goes: when one batch made nothing free, no more goes.
    And nothing goes when all that may go would not be enough.

    Parameters
    ----------
    root, nbytes, path, now, worst
        As for ``make_room``.
    looked
        Whether the file system said that it is full though it seems to have enough.
    """
    with turn(root, "evict"):
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


def make_spill_room(root: Root, nbytes: int, path: str, now: float) -> bool:
    """Evict what nobody needs from disk until the disk may take so many bytes, and say whether it may now."""
    found = candidates(root, walking.folders(root), now, path, IDLE, spilled=True)
    going = [candidate for candidate in found if candidate.entry.spilled]
    with suppress(OSError):  # there is no folder on disk, or it is out of reach
        if not going or not root.spill.has_room(nbytes - total(going), root.ledger.spilled()):
            return False
        for candidate in going:
            if root.spill.has_room(nbytes, root.ledger.spilled()):
                break
            evict_entry(root, candidate.path, candidate.entry, now)
        return root.spill.has_room(nbytes, root.ledger.spilled())
    return False


def _evict_batch(root: Root, going: list[Candidate], nbytes: int, number: int, now: float) -> None:
    """Evict the first candidates: so many, or so many bytes of them."""
    freed = done = 0
    while going and (done < number if number else freed < nbytes):
        candidate = going.pop(0)
        if evict_entry(root, candidate.path, candidate.entry, now):
            freed, done = freed + candidate.entry.nbytes, done + 1
