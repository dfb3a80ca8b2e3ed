"""The errors that every store raises, and what they say."""

from __future__ import annotations

from typing import NamedTuple

from dash_brain.common.sizes import shown_size, shown_time
from dash_brain.errors import StoreFull, ValueConflict, ValueMissing

#: Seconds in which a new store says that it is new.
_RECENT = 3600.0

#: How a store gets a larger budget. Errors do not know where theirs lies.
_MORE = (
    "Brain.resize(), or ?size=2GiB for a new store; a container gives shared memory room with "
    "docker run --shm-size=2g, and file:///folder a place on disk"
)

#: Why an object went, by number. ``"quota"``: it was evicted because its session was at its quota.
REASONS = ("quota", "evicted", "expired", "deleted")


class Tombstone(NamedTuple):
    """The record of a removed object; times in seconds since the epoch, 0 if not known."""

    reason: str
    nbytes: int
    created: float
    removed: float


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


def too_large(nbytes: int, most: int) -> StoreFull:
    """Return the error for a note that is larger than any may be."""
    return StoreFull(f"A note of {shown_size(nbytes)} is refused: it may have {shown_size(most)} at most.")


def missing(
    key: str, tombstone: Tombstone | None = None, *, now: float = 0.0, made: float | None = None
) -> ValueMissing:
    """Return the error for a key without a value, with how that went if it is known.

    ``now`` and ``made`` are seconds since the epoch: what time it is, and when the store was made.
    """
    if tombstone is not None:
        error = ValueMissing(f"{shown(key)} {_fate(tombstone, now)}")
        error.of_quota = tombstone.reason == "quota"
        error.reason = "evicted" if error.of_quota else tombstone.reason
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


def _fate(tombstone: Tombstone, now: float) -> str:
    age = f", {shown_time(tombstone.removed - tombstone.created)} old" if tombstone.created else ""
    ago, what = f"{shown_time(now - tombstone.removed)} ago", f"({shown_size(tombstone.nbytes)}{age})"
    if tombstone.reason == "evicted":
        return f"was evicted {ago} to make room {what}. Give the store a larger budget: {_MORE}."
    if tombstone.reason == "quota":
        return (
            f"was evicted {ago} because its session was at its quota {what}. Let sessions keep more: "
            "configure(session_quota=...)."
        )
    if tombstone.reason == "expired":
        return f"expired {ago} {what}: nothing renewed its ttl. Give it a longer one."
    return f"was deleted {ago} {what}."


def shown(key: str) -> str:
    """Return a key as a message shows it: quoted, and no longer than a line."""
    return repr(key if len(key) <= 80 else f"{key[:80]}…")
