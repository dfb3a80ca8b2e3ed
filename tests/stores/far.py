"""A store beyond a network that is none: a folder, of which every question counts as a round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore, Frames, Look, ObjectInfo, Place, StoreWrapper

INLINE = 256 << 10

#: What costs a round trip at least.
_VERBS = {
    *("look", "fetch", "put", "get", "info", "info_many", "exists", "touch", "touch_many", "delete", "drop"),
    *("scan", "namespaces", "lock", "usage", "sweep"),
}


class FarFolder(StoreWrapper):
    """What a remote store does, and how often it is asked."""

    def __init__(self, folder: Any, **options: Any) -> None:
        super().__init__(FileStore(folder, "far", **options))
        self.shared = "network"
        self.asked: list[str] = []

    def look(self, places: Sequence[Place]) -> list[Look | None]:
        return [self._look(*place) for place in places]

    def fetch(self, found: ObjectInfo) -> Frames:
        frames = self.wrapped.get(found.namespace, found.key)
        if self.wrapped.info(found.namespace, found.key).object_id != found.object_id:
            raise ValueMissing(found.key)
        return frames

    def __getattribute__(self, name: str) -> Any:
        if name in _VERBS:
            self.asked.append(name)
        return super().__getattribute__(name)

    def _look(self, namespace: str, key: str) -> Look | None:
        try:
            frames = self.wrapped.get(namespace, key)  # notes the use
            info = self.wrapped.info(namespace, key)
        except ValueMissing:
            return None
        return Look(info, frames if sum(map(len, frames)) < INLINE else None)
