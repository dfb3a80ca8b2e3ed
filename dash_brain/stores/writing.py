"""Giving a new object its place, with room made for it and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dash_brain.stores import files, pressure
from dash_brain.stores.base import Frame
from dash_brain.stores.entries import Entry
from dash_brain.stores.faults import full, is_full
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import discount

#: How often a put makes its folder anew, should a sweep remove the empty one each time. Two threads of one
#: process can take turns at that for quite a while.
_ATTEMPTS = 1000


#: How often a put makes place in a file system that says it is full.
_ROUNDS = 4


class Draft(NamedTuple):
    """An object that is to be written."""

    path: str
    pieces: Sequence[Frame]
    now: float
    expires: float | None

    @property
    def nbytes(self) -> int:
        """The bytes that it will take."""
        return files.occupied(sum(map(len, self.pieces)))

    def fill(self, file: int) -> None:
        """Write it into an empty file."""
        files.fill(file, self.pieces, self.now, self.expires)


def write(root: Root, draft: Draft) -> None:
    """Write an object under its path, in place of what was there.

    It is counted before it is there, and what it replaces is discounted afterwards: who looks meanwhile may
    see too little room, and never too much.

    Raises
    ------
    StoreFull
        When there is no room, and none can be made.
    """
    nbytes = draft.nbytes
    root.ledger.promise(nbytes)
    try:
        if root.room.lacking() > 0 and not pressure.make_room(root, nbytes, draft.path, draft.now):
            raise full(nbytes, root.room.budget(), root.ledger.used())
        replaced = _publish_in_full_place(root, draft)
    except BaseException:
        root.ledger.promise(-nbytes)
        raise
    root.ledger.keep_promise(nbytes)
    if replaced is not None:
        discount(root, draft.path, replaced)


def _publish_in_full_place(root: Root, draft: Draft) -> Entry | None:
    rounds = 0
    while True:
        try:
            return _publish(root, draft)
        except OSError as error:
            if not is_full(error):
                raise
            looked = rounds > 0
            rounds += 1
            if rounds == _ROUNDS or not pressure.make_place(
                root, draft.nbytes, draft.path, draft.now, looked=looked
            ):
                raise full(draft.nbytes, root.room.budget(), root.ledger.used()) from error


def _publish(root: Root, draft: Draft) -> Entry | None:
    attempts = 0
    while True:
        try:
            if attempts:
                root.make_folder(draft.path.rpartition("/")[0])
            return root.publish(root, draft.path, draft.fill)
        except (FileNotFoundError, PermissionError):
            attempts += 1
            if root.gone() or attempts == _ATTEMPTS:
                raise
