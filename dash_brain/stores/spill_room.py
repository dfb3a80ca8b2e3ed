"""Making room on the disk that values are spilled to."""

from __future__ import annotations

from contextlib import suppress

from dash_brain.stores import candidates, walking
from dash_brain.stores.eviction import IDLE
from dash_brain.stores.folder import Root
from dash_brain.stores.removing import evict_entry


def make_spill_room(root: Root, nbytes: int, path: str, now: float) -> bool:
    """Evict what nobody needs from disk until the disk may take so many bytes, and say whether it may now."""
    if not root.spill.is_ready():
        return False
    found = candidates.in_order(root, walking.folders(root), now, path, IDLE, spilled=True)
    going = [
        candidate
        for candidate in found
        if not candidate.entry.away and root.spill.is_on_our_disk(candidate.entry.spilled)
    ]
    with suppress(OSError):  # it went out of reach
        if not going or not root.spill.has_room(nbytes - candidates.total(going), root.ledger.spilled()):
            return False
        for candidate in going:
            if root.spill.has_room(nbytes, root.ledger.spilled()):
                break
            evict_entry(root, candidate.path, candidate.entry, now)
        return root.spill.has_room(nbytes, root.ledger.spilled())
    return False
