"""Making room in a store that holds as much as it may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dash_brain.stores import candidates, walking
from dash_brain.stores.candidates import Candidate
from dash_brain.stores.eviction import HELD
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import evict_entry
from dash_brain.stores.waiting import WRITING, moments, turn

#: Those who have promised what they did not write yet, as patience knows them.
_WRITERS = "writers"


def make_room(root: Root, nbytes: int, path: str, now: float, worst: int = HELD) -> bool:
    """Evict until an object of ``nbytes`` bytes, which was promised, keeps within the budget.

    Somewhat more goes than is needed, so that the next walk over all objects is far away. Nothing goes when
    all that may go would not be enough.

    Returns
    -------
    bool
        Whether there is room now.
    """
    credit = _credit(root, path)
    if root.room.lacking() <= credit:
        return True
    if nbytes - credit > root.room.budget():
        return False
    with _in_turn(root, nbytes):
        others = root.ledger.promised() - nbytes
        patience = root.patience.seconds(_WRITERS, WRITING, others)
        # Others go on putting what fits: what was seen may be gone, and room that was made be taken.
        for _ in moments(patience):
            credit = _credit(root, path)
            if root.room.lacking() <= credit:
                return True  # somebody made room while we waited
            going = candidates.in_order(root, walking.folders(root), now, path, worst)
            if not _evict_down_to(root, credit, going, now) and (
                worst < HELD or not _will_do(root, nbytes, path, now)
            ):
                break
        else:
            if patience:
                root.patience.lose(_WRITERS, others)
        return root.room.lacking() <= _credit(root, path)


def _credit(root: Root, path: str) -> int:
    """Return the bytes that go when an object of this path comes; as of now, for others may evict it."""
    replaced = root.look(path)
    return replaced.nbytes if replaced is not None and not replaced.spilled else 0


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
    return candidates.kept(root, walking.folders(root), now, path) + nbytes <= root.room.budget()


def _evict_down_to(root: Root, credit: int, going: list[Candidate], now: float) -> bool:
    """Evict until there is enough room and some more; say whether that could be."""
    if not going or root.room.lacking() - credit > candidates.total(going):
        return False
    for candidate in going:
        if root.room.lacking() <= credit - root.room.slack():
            break
        evict_entry(root, candidate.path, candidate.entry, now)
    return True
