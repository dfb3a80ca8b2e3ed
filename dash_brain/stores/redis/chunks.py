"""The chunks of a body in Redis: what it sends is received where it is to lie."""

from __future__ import annotations

from collections.abc import Sequence

from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import chunk_of
from dash_brain.stores.redis.parts import Altered, Gone
from dash_brain.stores.redis.wire import Answer, packed

#: Bytes of a chunk. Redis serves nobody else while it takes or gives one.
CHUNK = 4 << 20


class Chunks:
    """Bodies in Redis."""

    size = CHUNK
    at_once = 4

    def __init__(self, link: Link) -> None:
        self._link = link

    def receive(self, object_id: str, first: int, views: Sequence[memoryview]) -> None:
        """Receive chunks from the n-th on into these views."""
        names = [chunk_of(object_id, first + number) for number in range(len(views))]

        def read(answer: Answer) -> None:
            for view in views:
                length = answer.receive(view)
                if length == -1:
                    raise Gone
                if length != len(view):
                    raise Altered

        self._link.ask(packed([(b"MGET", *names)]), read)
