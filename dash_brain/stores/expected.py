"""What a put expects to replace: compare and set."""

from __future__ import annotations

from typing import NamedTuple

from dash_brain.stores.faults import conflict


class Expected(NamedTuple):
    """The id of the object that has to lie under a key; ``ABSENT`` for none, or one that is over ``now``."""

    object_id: str
    key: str
    now: float

    def check(self, found: str) -> None:
        """Raise ValueConflict unless the object that was found is the expected one."""
        if found != self.object_id:
            raise conflict(self.key)
