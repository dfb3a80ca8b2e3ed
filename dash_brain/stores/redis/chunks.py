"""Fetching chunks: what Redis sends is received where it is to lie.

redis-py would copy each chunk twice before it hands it over, and it is as long as what is copied that a large
value takes. So the answer is read from the socket of one of its connections here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

    from redis import Redis


class Gone(Exception):
    """A chunk is not there any more."""


class Altered(Exception):
    """A chunk has another length than it was put with."""


def receive(names: Sequence[bytes], views: Sequence[memoryview], client: Redis) -> None:
    """Receive chunks into these views, each as long as its chunk.

    Raises
    ------
    Gone
        When one of them is not there.
    Altered
        When one of them is shorter or longer.
    """
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
