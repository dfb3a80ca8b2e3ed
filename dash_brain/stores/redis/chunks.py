"""The chunks of a body in Redis: what it sends is received where it is to lie.

Chunks are asked for in pieces, a few of which are under way at any time: Redis copies each answer before it
sends it, and what is received is hashed while it sends the next ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from blake3 import blake3

from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import chunk_of
from dash_brain.stores.redis.parts import Altered, Gone
from dash_brain.stores.redis.wire import Answer, packed

#: Bytes of a chunk. Redis serves nobody else while it takes one.
CHUNK = 4 << 20
#: Bytes of a piece, and how many are asked for before they arrive.
_PIECE = 512 << 10
_UNDER_WAY = 8


class Chunks:
    """Bodies in Redis."""

    size = CHUNK
    at_once = 16

    def __init__(self, link: Link) -> None:
        self._link = link

    def receive(self, object_id: str, first: int, views: Sequence[memoryview], before: blake3) -> blake3:
        """Receive chunks from the n-th on; return the hash of them and those before."""
        names = [chunk_of(object_id, first + number) for number in range(len(views))]
        pieces = [piece for view in views for piece in _pieces(view)]

        def read(answer: Answer) -> blake3:
            questions, digest = (
                _questions(names, views),
                before.copy(),
            )  # it may be asked again from the start
            answer.send(b"".join(islice(questions, _UNDER_WAY)))
            for piece in pieces:
                _check(answer.receive(piece), len(piece))
                answer.send(next(questions, b""))
                digest.update(piece)
            return digest

        return self._link.ask(b"", read)


def _pieces(view: memoryview) -> Iterator[memoryview]:
    return (view[start : start + _PIECE] for start in range(0, len(view), _PIECE))


def _questions(names: Sequence[bytes], views: Sequence[memoryview]) -> Iterator[bytes]:
    """Yield what asks for each piece; for the last one of a chunk a byte more, which must not be there."""
    for name, view in zip(names, views, strict=True):
        for start in range(0, len(view), _PIECE):
            end = start + _PIECE - 1 if start + _PIECE < len(view) else len(view)
            yield packed([(b"GETRANGE", name, b"%d" % start, b"%d" % end)])


def _check(found: int, length: int) -> None:
    if not found:
        raise Gone
    if found != length:
        raise Altered
