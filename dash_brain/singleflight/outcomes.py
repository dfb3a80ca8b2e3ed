"""Outcomes of flights that stored no value, for callers in other processes that wait for the lock.

A record lives for a minute, and counts for callers that asked before it was written. Later calls try again.
"""

from __future__ import annotations

from contextlib import suppress

from dash_brain import codec
from dash_brain.errors import BrainError, FlightFailed, StoreError, ValueMissing
from dash_brain.singleflight.flight_key import FlightKey

_OUTCOMES = "outcomes/flights"
_TTL = 60.0
_UNKEPT = "unkept"
#: Bytes that an exception may have which is kept for others: it may carry what a client sent.
_LARGEST = 16 << 10


def latest(key: FlightKey) -> str | None:
    """Return the id of the last record, if there is one."""
    with suppress(ValueMissing):
        return key.store.info(_OUTCOMES, key.lock).object_id
    return None


def leave_failure(key: FlightKey, error: Exception) -> None:
    """Record the exception that was raised."""
    _leave(key, _portable(error))


def leave_unkept(key: FlightKey) -> None:
    """Record that the value was made and could not be stored."""
    _leave(key, _UNKEPT)


def newer(key: FlightKey, known: str | None) -> bool:
    """Say whether the value was made and could not be kept, since ``known`` was the last record.

    Raises
    ------
    Exception
        That of a flight that failed since then.
    """
    if latest(key) in (None, known):
        return False
    with suppress(ValueMissing):
        outcome = codec.decode(key.store.get(_OUTCOMES, key.lock))
        if isinstance(outcome, Exception):
            raise outcome
        return True
    return False


def _leave(key: FlightKey, outcome: object) -> None:
    with suppress(StoreError):  # a full store: the waiting callers make it, one after the other
        key.store.put(_OUTCOMES, key.lock, codec.encode(outcome), ttl=_TTL)


def _portable(error: Exception) -> Exception:
    """Return the exception if it can be stored and read back, else a ``FlightFailed`` that names its type."""
    why = "cannot be pickled"
    with suppress(BrainError):
        frames = codec.encode(error)
        if sum(map(len, frames)) > _LARGEST:
            why = "is too large to be sent"
        elif type(codec.decode(frames)) is type(error):
            return error
    return FlightFailed(
        f"Another process was making this value and failed with {type(error).__name__}, an exception that "
        f"{why}: its log says more."
    )
