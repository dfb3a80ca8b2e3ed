"""A store beyond a network that is none: a folder, of which every question counts as a round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore, Frames, Look, ObjectInfo, Place, StoreWrapper

INLINE = 16 << 10


class FarFolder(StoreWrapper):
    """What a remote store does, and how often it is asked."""

    def __init__(self, folder: Any, **options: Any) -> None:
        super().__init__(FileStore(folder, "far", **options))
        self.shared = "network"
        self.asked: list[str] = []

    def look(self, places: Sequence[Place]) -> list[Look | None]:
        self.asked.append("look")
        return [self._look(*place) for place in places]

    def fetch(self, found: ObjectInfo) -> Frames:
        self.asked.append("fetch")
        frames = self.wrapped.get(found.namespace, found.key)
        if self.wrapped.info(found.namespace, found.key).object_id != found.object_id:
            raise ValueMissing(found.key)
        return frames

    def get(self, namespace: str, key: str) -> Frames:
        self.asked.append("get")
        return super().get(namespace, key)

    def exists(self, namespace: str, key: str) -> bool:
        self.asked.append("exists")
        return super().exists(namespace, key)

    def info(self, namespace: str, key: str) -> ObjectInfo:
        self.asked.append("info")
        return super().info(namespace, key)

    def _look(self, namespace: str, key: str) -> Look | None:
        try:
            frames = self.wrapped.get(namespace, key)  # notes the use
            info = self.wrapped.info(namespace, key)
        except ValueMissing:
            return None
        return Look(info, frames if sum(map(len, frames)) < INLINE else None)
