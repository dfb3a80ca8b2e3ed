"""What is left in the store of a flight whose value is not: for those in other processes who waited.

A record lives for a minute, and concerns those who asked before it was left. Who comes later tries anew.
"""

from __future__ import annotations

from contextlib import suppress

from dash_brain import codec
from dash_brain.errors import BrainError, FlightFailed, StoreError, ValueMissing
from dash_brain.flights.goals import Goal

_OUTCOMES = "outcomes/flights"
_TTL = 60.0
_UNKEPT = "unkept"


def latest(goal: Goal) -> str | None:
    """Return the id of the last record, if there is one."""
    with suppress(ValueMissing):
        return goal.store.info(_OUTCOMES, goal.key).object_id
    return None


def leave_failure(goal: Goal, error: Exception) -> None:
    """Leave the exception that came out."""
    _leave(goal, _portable(error))


def leave_unkept(goal: Goal) -> None:
    """Leave word that the value was made and could not be kept."""
    _leave(goal, _UNKEPT)


def newer(goal: Goal, known: str | None) -> bool:
    """Say whether the value was made and could not be kept, since ``known`` was the last record.

    Raises
    ------
    Exception
        That of a flight that failed since then.
    """
    if latest(goal) in (None, known):
        return False
    with suppress(ValueMissing):
        outcome = codec.decode(goal.store.get(_OUTCOMES, goal.key))
        if isinstance(outcome, Exception):
            raise outcome
        return True
    return False


def _leave(goal: Goal, outcome: object) -> None:
    with suppress(StoreError):  # a full store: those who wait try for themselves, one after the other
        goal.store.put(_OUTCOMES, goal.key, codec.encode(outcome), ttl=_TTL)


def _portable(error: Exception) -> Exception:
    """Return the exception if it comes out of the store as it went in, else one that tells of it."""
    try:
        if type(codec.decode(codec.encode(error))) is type(error):
            return error
    except BrainError:
        pass
    return FlightFailed(
        f"Another process was making this value and failed with {type(error).__name__}, an exception that "
        "cannot be pickled: its log says more."
    )
