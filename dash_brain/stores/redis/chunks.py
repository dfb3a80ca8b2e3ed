"""The chunks of a body in Redis: what it sends is received where it is to lie.

redis-py would copy each chunk twice before it hands it over, and it is as long as what is copied that a large
value takes. So the answer is read from the socket of one of its connections here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import chunk_of
from dash_brain.stores.redis.parts import Altered, Gone

if TYPE_CHECKING:
    import socket

    from redis import Redis

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
        self._link.call(partial(_receive, names, views))


def _receive(names: Sequence[bytes], views: Sequence[memoryview], client: Redis) -> None:
    pool: Any = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_command("MGET", *names)
        sock = connection._sock  # there is no public name for it
        if int(_line(sock, b"*")) != len(views):
            raise Altered
        for view in views:
            _receive_one(sock, view)
    except BaseException:
        connection.disconnect()  # with what was not read of the answer
        raise
    finally:
        pool.release(connection)


def _receive_one(sock: socket.socket, view: memoryview) -> None:
    length = int(_line(sock, b"$"))
    if length == -1:
        raise Gone
    if length != len(view):
        raise Altered
    _fill(sock, view)
    _line(sock, b"")


def _fill(sock: socket.socket, view: memoryview) -> None:
    from redis.exceptions import ConnectionError

    while view:
        received = sock.recv_into(view)
        if not received:
            raise ConnectionError("The connection was closed.")
        view = view[received:]


def _line(sock: socket.socket, kind: bytes) -> bytes:
    """Return the next line of the answer, without the byte that says of which kind it is."""
    from redis.exceptions import ResponseError

    line, byte = bytearray(), bytearray(1)
    while not line.endswith(b"\r\n"):
        _fill(sock, memoryview(byte))
        line += byte
    if not line.startswith(kind):
        raise ResponseError(line[1:-2].decode("utf-8", "replace"))
    return bytes(line[len(kind) : -2])
