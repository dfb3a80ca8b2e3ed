"""What the far store said of the places that one request is about to read."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar

from dash_brain.stores.base import Look, Place


class Answers:
    """The answers of one request, in its thread or task.

    Each is used once: later, it may not hold any more.
    """

    def __init__(self) -> None:
        self._said: ContextVar[dict[Place, Look | None] | None] = ContextVar("answers", default=None)

    def note(self, places: Sequence[Place], said: Sequence[Look | None]) -> None:
        """Note the answers of a request, in place of all before."""
        # Cleared, and not only replaced: threads and tasks that the request started have the same dict.
        (self._said.get() or {}).clear()
        self._said.set(dict(zip(places, said, strict=True)))

    def __contains__(self, place: Place) -> bool:
        return place in (self._said.get() or ())

    def peek(self, place: Place) -> Look | None:
        """Return an answer, which stays; None: it was not asked for, or nothing is there."""
        return (self._said.get() or {}).get(place)

    def pop(self, place: Place) -> Look | None:
        """Return an answer and forget it. ``KeyError``: it was not asked for."""
        return (self._said.get() or {}).pop(place)

    def forget(self, namespace: str, key: str | None = None) -> None:
        """Forget the answer for a key, or for all keys of a namespace, which is about to change."""
        said = self._said.get() or {}
        for place in [one for one in said if one[0] == namespace and key in (None, one[1])]:
            del said[place]
