"""Giving a new object its place, with room made for it and counted."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import NamedTuple

from dash_brain.errors import StoreFull
from dash_brain.stores import files, full_places, pressure, spill_room
from dash_brain.stores.base import Frame
from dash_brain.stores.entries import Entry
from dash_brain.stores.eviction import HELD, IDLE
from dash_brain.stores.expected import Expected
from dash_brain.stores.faults import crowded, full, is_full
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import discount
from dash_brain.stores.spilling import spill

#: How often a put makes its folder anew, should a sweep remove the empty one each time. Two threads of one
#: process can take turns at that for quite a while.
_ATTEMPTS = 1000
#: How often, when the kernel refuses; ext4 does so, too, when the folder was removed meanwhile.
_REFUSED = 20


#: How often a put makes place in a file system that says it is full.
_ROUNDS = 4


class Draft(NamedTuple):
    """An object that is to be written."""

    path: str
    pieces: Sequence[Frame]
    nbytes: int
    now: float
    expires: float | None
    expected: Expected | None

    def fill(self, file: int) -> None:
        """Write it into an empty file."""
        files.fill(file, self.pieces, self.now, self.expires)


def write(root: Root, draft: Draft) -> None:
    """Write an object under its path, in place of what was there.

    What somebody seems to need makes room only when the new object cannot be spilled to disk.

    Raises
    ------
    StoreFull
        When there is no room, and none can be made.
    """
    if root.spill.allowed and (_place(root, draft, IDLE) or _spill(root, draft)):
        return
    _place(root, draft, HELD, final=True)


def _place(root: Root, draft: Draft, worst: int, *, final: bool = False) -> bool:
    """Write the object into the store's own place, and say whether there was room.

    It is counted before it is there, and what it replaces is discounted afterwards: who looks meanwhile may
    see too little room, and never too much. The ``final`` attempt succeeds or raises StoreFull.
    """
    nbytes = draft.nbytes
    root.ledger.promise(nbytes)
    try:
        placed, replaced = _publish_with_room(root, draft, worst, final=final)
    except BaseException:
        root.ledger.promise(-nbytes)
        raise
    if not placed:
        root.ledger.promise(-nbytes)
        return False
    root.ledger.keep_promise(nbytes)
    if replaced is not None:
        discount(root, draft.path, replaced)
    return True


def _spill(root: Root, draft: Draft) -> bool:
    done, replaced = spill(root, draft.path, draft.nbytes, draft.fill, draft.expected)
    if not done and spill_room.make_spill_room(root, draft.nbytes, draft.path, draft.now):
        done, replaced = spill(root, draft.path, draft.nbytes, draft.fill, draft.expected)
    if done:
        root.ledger.add(draft.nbytes, spilled=True)
        if replaced is not None:
            discount(root, draft.path, replaced)
    return done


def _publish_with_room(root: Root, draft: Draft, worst: int, *, final: bool) -> tuple[bool, Entry | None]:
    if not _has_room(root, draft, worst, final=final):
        return _give_up(root, draft, final=final)
    for attempt in range(_ROUNDS):
        try:
            if root.room.lacks_memory(draft.nbytes):
                raise crowded(draft.nbytes)
            return True, _publish(root, draft)
        except OSError as error:
            if not is_full(error):
                raise
            last = attempt == _ROUNDS - 1
            if not last and final and isinstance(error, StoreFull) and _gets_memory(root, draft):
                continue
            if last or not _makes_place(root, draft, worst, looked=attempt > 0):
                if final and isinstance(error, StoreFull):
                    raise  # here, by no name: what refers to itself keeps the value for longer
                return _give_up(root, draft, final=final, cause=error)
    raise AssertionError("the last round returns")


def _has_room(root: Root, draft: Draft, worst: int, *, final: bool) -> bool:
    """Say whether the budget allows the object, or allows it now that others went."""
    lacking, search = root.room.lacking(), root.room.budget_search
    if lacking <= 0:
        return True
    if not final and search.was_in_vain(lacking):
        return False
    if pressure.make_room(root, draft.nbytes, draft.path, draft.now, worst):
        return True
    search.note(lacking)
    return False


def _gets_memory(root: Root, draft: Draft) -> bool:
    """Say whether the container has memory for the object once others have written theirs."""
    return full_places.wait_for_memory(root, draft.nbytes, draft.path, draft.now)


def _makes_place(root: Root, draft: Draft, worst: int, *, looked: bool) -> bool:
    """Evict, for the place of the store is full, and say whether there is more of it now.

    What went in vain is lost to those who use it, so not every put that is refused may try again.
    """
    search = root.room.place_search[worst]
    if search.was_in_vain(draft.nbytes, draft.path):
        return False
    if full_places.make_place(root, draft.nbytes, draft.path, draft.now, worst, looked=looked):
        return True
    replaced = root.look(draft.path)
    search.note(draft.nbytes, draft.path, 0 if replaced is None else replaced.nbytes)
    return False


def _give_up(
    root: Root, draft: Draft, *, final: bool, cause: OSError | None = None
) -> tuple[bool, Entry | None]:
    if final:
        others = root.ledger.promised() - draft.nbytes
        raise full(draft.nbytes, root.room.budget(), root.ledger.used(), others) from cause
    return False, None


def _publish(root: Root, draft: Draft) -> Entry | None:
    attempts = 0
    while True:
        try:
            if attempts:
                root.make_folder(draft.path.rpartition("/")[0])
            return root.publish(root, draft.path, draft.fill, draft.nbytes, draft.expected)
        except (FileNotFoundError, PermissionError) as error:
            attempts += 1
            if root.gone():  # what is in a folder that was removed may not be touched, says ext4
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
            if attempts == (_ATTEMPTS if isinstance(error, FileNotFoundError) else _REFUSED):
                raise
