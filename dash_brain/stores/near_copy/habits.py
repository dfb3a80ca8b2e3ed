"""Which results of memoized calls requests look up: asked for along with what they ask for ahead."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from dash_brain.stores.base import Place
from dash_brain.stores.namespaces import domain_of

#: Places that are remembered for one set of places asked for ahead, and sets that are remembered.
_EACH, _SETS = 8, 1000


class Habits:
    """What was looked up after the same places were asked for ahead, the latest last.

    Only results of memoized calls and their recipes: these are looked up before a function runs. What the
    function itself reads has to be asked for when it does.
    """

    def __init__(self) -> None:
        self._after: dict[tuple[Place, ...], list[Place]] = {}

    def note(self, ahead: tuple[Place, ...], place: Place) -> None:
        """Note that a request looked up a place."""
        if not ahead or domain_of(place[0]).retention.kind not in ("result", "recipe"):
            return
        others = [one for one in self._after.pop(ahead, ()) if one != place]
        self._after[ahead] = [*others, place][-_EACH:]
        with suppress(RuntimeError, StopIteration):  # another thread changed it: that one bounds it
            while len(self._after) > _SETS:
                self._after.pop(next(iter(self._after)), None)

    def with_those_after(self, ahead: Sequence[Place]) -> list[Place]:
        """Return these places, and those that were looked up after them."""
        return list(dict.fromkeys((*ahead, *self._after.get(tuple(ahead), ()))))
