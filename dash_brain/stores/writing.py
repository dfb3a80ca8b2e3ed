"""Giving a new object its place, with room made for it and counted."""

from __future__ import annotations

from collections.abc import Sequence

from dash_brain.stores import files
from dash_brain.stores.base import Frame
from dash_brain.stores.entries import Entry
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import discount

#: How often a put makes its folder anew, should a sweep remove the empty one each time. Two threads of one
#: process can take turns at that for quite a while.
_ATTEMPTS = 1000


def write(root: Root, path: str, pieces: Sequence[Frame], now: float, expires: float | None) -> None:
    """Write an object under its path, in place of what was there.

    It is counted before it is there, and what it replaces is discounted afterwards: who looks meanwhile may
    see too little room, and never too much.
    """
    nbytes = files.occupied(sum(map(len, pieces)))
    root.ledger.promise(nbytes)
    try:
        replaced = _publish(root, path, pieces, now, expires)
    except BaseException:
        root.ledger.promise(-nbytes)
        raise
    root.ledger.keep_promise(nbytes)
    if replaced is not None:
        discount(root, replaced)


def _publish(
    root: Root, path: str, pieces: Sequence[Frame], now: float, expires: float | None
) -> Entry | None:
    attempts = 0
    while True:
        try:
            if attempts:
                root.make_folder(path.rpartition("/")[0])
            return root.publish(root, path, lambda file: files.fill(file, pieces, now, expires))
        except (FileNotFoundError, PermissionError):
            attempts += 1
            if root.gone() or attempts == _ATTEMPTS:
                raise
