"""Faults of the system become typed errors; whoever waits for values never meets a bare OSError."""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from dash_brain.errors import StoreError, StoreFull, StoreUnavailable, ValueConflict, ValueMissing
from dash_brain.stores.removals import Removal
from dash_brain.stores.sizes import shown_size, shown_time

#: Seconds in which a new store says that it is new.
_RECENT = 3600.0

#: How a store gets a larger budget. Errors do not know where theirs lies.
_MORE = (
    "Brain.resize(), or ?size=2GiB for a new store; a container gives shared memory room with "
    "docker run --shm-size=2g, and file:///folder a place on disk"
)

P = ParamSpec("P")
T = TypeVar("T")

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


def no_room(error: OSError) -> StoreFull:
    """Return the error for a value that does not fit."""
    return StoreFull(
        f"There is no room for the value ({error.strerror}); what was stored before is untouched. "
        "Delete values, or give the store a larger place."
    )


def full(nbytes: int, budget: int, used: int, written: int = 0) -> StoreFull:
    """Return the error for a value that would not fit even if all went that may be evicted."""
    others = f", {shown_size(written)} are being written" if written > 0 else ""
    return StoreFull(
        f"There is no room for a value of {shown_size(nbytes)}: the store may hold {shown_size(budget)}, and "
        f"{shown_size(used)} of that are taken{others}, and what may be evicted of it would not be enough. "
        "What was stored before is untouched. Delete values, give them a ttl, or give the store more: "
        f"{_MORE}."
    )


def conflict(key: str) -> ValueConflict:
    """Return the error for a put that was to replace another object than the one that lies there."""
    return ValueConflict(f"The value of {shown(key)} was replaced or removed meanwhile; read it again.")


def crowded(nbytes: int) -> StoreFull:
    """Return the error for a value that would take memory which the container has not got."""
    return StoreFull(
        f"There is no room for a value of {shown_size(nbytes)}: the memory of this container is used up but "
        "for a small reserve, and beyond it the kernel kills processes. What was stored before is untouched. "
        "Give the container more memory, let its processes take less, or use a place on disk: file:///folder."
    )


def beyond_quota(nbytes: int, quota: int) -> StoreFull:
    """Return the error for a value that a session may not keep."""
    return StoreFull(
        f"There is no room for a value of {shown_size(nbytes)}: a session may keep {shown_size(quota)}. What "
        "was stored before is untouched. Keep less, or allow more: configure(session_quota=...)."
    )


def too_small(nbytes: int, used: int) -> StoreFull:
    """Return the error for a budget that is less than what is there."""
    return StoreFull(
        f"A budget of {shown_size(nbytes)} is less than the {shown_size(used)} that the store holds; delete "
        "values first. Nothing was changed."
    )


def faults_are_typed(method: Callable[P, T]) -> Callable[P, T]:
    """Make a method raise StoreFull or StoreUnavailable, with its cause, instead of another OSError."""

    @functools.wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except StoreError:
            raise
        except OSError as error:
            raise typed(error) from error

    return wrapper


def missing(
    key: str, removal: Removal | None = None, *, now: float = 0.0, made: float | None = None
) -> ValueMissing:
    """Return the error for a key without a value.

    Parameters
    ----------
    key
        The key.
    removal
        How its value went, if that is known.
    now, made
        Seconds since the epoch: what time it is, and when the store was made.
    """
    if removal is not None:
        error = ValueMissing(f"{shown(key)} {_fate(removal, now)}")
        error.reason = removal.reason
        return error
    lost = ""
    if made is not None and 0 <= now - made < _RECENT:
        lost = f" The store was made {shown_time(now - made)} ago: what was stored before that is lost."
    return ValueMissing(f"There is no value under {shown(key)}: never stored, expired, or deleted.{lost}")


def unseen(key: str) -> ValueMissing:
    """Return the error for a value that was spilled by a process that sees other disks than we do."""
    return ValueMissing(
        f"The value of {shown(key)} had no room in shared memory and lies on a disk that this process does "
        "not see: in the /var/tmp of another container or service (PrivateTmp=), or of this one before it "
        "started anew or somebody emptied it. Store it again, give all of them the same /var/tmp, or give "
        "the store more room."
    )


def _fate(removal: Removal, now: float) -> str:
    age = f", {shown_time(removal.removed - removal.created)} old" if removal.created else ""
    ago, what = f"{shown_time(now - removal.removed)} ago", f"({shown_size(removal.nbytes)}{age})"
    if removal.reason == "evicted":
        return (
            f"was evicted {ago} to make room {what}. Give the store a larger budget: {_MORE}; or a session a "
            "larger quota: configure(session_quota=...)."
        )
    if removal.reason == "expired":
        return f"expired {ago} {what}: nothing renewed its ttl. Give it a longer one."
    return f"was deleted {ago} {what}."


def shown(key: str) -> str:
    """Return a key as a message shows it: quoted, and no longer than a line."""
    return repr(key if len(key) <= 80 else f"{key[:80]}…")
