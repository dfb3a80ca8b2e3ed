"""What the far store said of the places that one request is about to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextvars import ContextVar

from dash_brain.stores.base import Look, ObjectInfo, Place


class _Request:
    """What it asked for ahead, the answers that are left, and what is known of objects since then."""

    def __init__(self, ahead: Sequence[Place]) -> None:
        self.ahead = tuple(ahead)
        self.left: dict[Place, Look | None] = {}
        self.known: dict[Place, ObjectInfo] = {}


class Answers:
    """The answers of one request, in its thread or task.

    Each is used once: later, it may not hold any more.
    """

    def __init__(self) -> None:
        self._request: ContextVar[_Request | None] = ContextVar("answers", default=None)

    def __len__(self) -> int:
        request = self._request.get()
        return 0 if request is None else len(request.left)

    def begin(self, ahead: Sequence[Place]) -> None:
        """Begin a request, which asks for these places ahead; without any, the last one is over."""
        request = self._request.get()
        if request is not None:  # threads and tasks that it started have the same one
            request.left.clear()
            request.known.clear()
        self._request.set(_Request(ahead) if ahead else None)

    def note(self, places: Iterable[Place], said: Iterable[Look | None], *, used: bool = False) -> None:
        """Note answers, which are left, or ``used`` at once; outside a request nothing is noted."""
        request = self._request.get()
        if request is None:
            return
        for place, look in zip(places, said, strict=True):
            if not used:
                request.left[place] = look
            if look is not None:
                request.known[place] = look.info

    @property
    def ahead(self) -> tuple[Place, ...]:
        """What this request asked for ahead."""
        request = self._request.get()
        return () if request is None else request.ahead

    def __contains__(self, place: Place) -> bool:
        request = self._request.get()
        return request is not None and place in request.left

    def pop(self, place: Place) -> Look | None:
        """Return an answer and forget it. ``KeyError``: it was not asked for."""
        request = self._request.get()
        return None if request is None else request.left.pop(place)

    def known(self, place: Place) -> ObjectInfo | None:
        """Return what was said of an object in this request, unless it was changed since."""
        request = self._request.get()
        return None if request is None else request.known.get(place)

    def forget(self, namespace: str, key: str | None = None) -> None:
        """Forget the answer for a key, or for all keys of a namespace, which is about to change."""
        request = self._request.get()
        for answers in () if request is None else (request.left, request.known):
            for place in [one for one in answers if one[0] == namespace and key in (None, one[1])]:
                del answers[place]
