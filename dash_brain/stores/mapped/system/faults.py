"""Faults of the system become typed errors: no method of a store raises a bare OSError."""

from __future__ import annotations

import errno

from dash_brain.common.sizes import shown_size
from dash_brain.errors import StoreError, StoreFull, StoreUnavailable

#: No blocks, no inodes, or no quota.
_FULL = {errno.ENOSPC, errno.EDQUOT}


def typed(error: OSError) -> StoreError:
    """Return ``error`` as the store's own."""
    if error.errno in _FULL or error.errno == errno.EFBIG:
        return no_room(error)
    if error.errno == errno.EMFILE:
        return StoreUnavailable(
            "This process has too many open files; raise its limit (ulimit -n), or keep fewer values at once."
        )
    return StoreUnavailable(f"The store cannot be used: {error}.")


def is_full(error: OSError) -> bool:
    """Say whether the error means that there is no room; if other values went, there might be."""
    return error.errno in _FULL or isinstance(error, StoreFull)


def is_shortage(error: OSError) -> bool:
    """Say whether we lack descriptors or memory at this moment, which tells nothing of what was opened."""
    return error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def no_room(error: OSError) -> StoreFull:
    """Return the error for a value that does not fit."""
    return StoreFull(
        f"There is no room for the value ({error.strerror}); what was stored before is untouched. "
        "Delete values, or give the store a larger place."
    )


def crowded(nbytes: int) -> StoreFull:
    """Return the error for a value that would take memory which the container has not got."""
    return StoreFull(
        f"There is no room for a value of {shown_size(nbytes)}: the memory of this container is used up but "
        "for a small reserve, and beyond it the kernel kills processes. What was stored before is untouched. "
        "Give the container more memory, let its processes take less, or use a place on disk: file:///folder."
    )
