"""What may go from a store when memory is short, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dash_brain.stores import files, walking
from dash_brain.stores.entries import Entry
from dash_brain.stores.eviction import HELD, rank
from dash_brain.stores.folder import Root


class Candidate(NamedTuple):
    """An object that may go; the smallest goes first."""

    rank: int
    used: float
    path: str
    entry: Entry


def in_order(
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
            counts = spilled if entry.spilled else True
            if counts and (entry.away or not entry.lost) and path != besides:
                yield rank(domain, files.expiry(entry.found), entry.found.st_atime, now), path, entry


def total(going: Iterable[Candidate]) -> int:
    """Return the bytes of what may go."""
    return sum(candidate.entry.nbytes for candidate in going)
