"""Questions to Redis whose answers are read here, from the socket of a connection of redis-py.

Its pool and its parser take longer for a small answer than Redis does, and copy a large one twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import socket

    from redis import Redis

T = TypeVar("T")

#: Bytes that are asked of the socket at once where the length of what comes is not known.
_AT_ONCE = 64 << 10
#: Connections that are kept out of the pool of redis-py, which looks at each before it lends it.
_KEPT = 8


class Wire:
    """Connections of a client, to ask on.

    Parameters
    ----------
    client
        Connects.
    keeps
        Whether connections may be kept out of its pool, to be used again without being looked at.
    """

    def __init__(self, client: Redis, *, keeps: bool) -> None:
        self._pool: Any = client.connection_pool
        self._most = _KEPT if keeps else 0
        self._kept: list[Any] = []

    def ask(self, question: bytes, read: Callable[[Answer], T]) -> T:
        """Send some commands, see :func:`packed`, and return what ``read`` makes of the answer, all of it."""
        while self._kept:
            try:
                return self._ask(self._kept.pop(), question, read)
            except IndexError:  # another thread took the last one
                break
            except Exception as error:
                if not _is_closed(error):
                    raise
                self._give_back()  # Redis has closed it, as it may have the others
        return self._ask(self._pool.get_connection(), question, read)

    def _give_back(self) -> None:
        """Give the kept connections back to the pool, closed."""
        with suppress(IndexError):
            while True:
                connection = self._kept.pop()
                connection.disconnect()
                self._pool.release(connection)

    def _ask(self, connection: Any, question: bytes, read: Callable[[Answer], T]) -> T:
        try:
            connection.send_packed_command([question])
            # There is no public name for it. After a fault it is another one.
            found = read(Answer(connection._sock))
        except BaseException:
            connection.disconnect()  # with what was not read of the answer
            self._pool.release(connection)
            raise
        if len(self._kept) < self._most:
            self._kept.append(connection)
        else:
            self._pool.release(connection)
        return found


class Answer:
    """What Redis sends."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        #: What was received and not read yet, from ``_at`` on.
        self._pending = b""
        self._at = 0

    def send(self, question: bytes) -> None:
        """Ask for more, see :func:`packed`."""
        self._sock.sendall(question)

    def strings(self, count: int) -> list[bytes | None]:
        """Return so many strings, each one by itself or in an array; None for one that is not there."""
        found: list[bytes | None] = []
        while len(found) < count:
            kind, length = self._head()
            if kind == b"$":
                found.append(self._string(length))
        return found

    def receive(self, view: memoryview) -> int:
        """Receive a string where it is to lie, and return its length; one of another length is not read."""
        kind, length = self._head()
        while kind == b"*":
            kind, length = self._head()
        if length == len(view):
            here = self._pending[self._at : self._at + length]
            self._at += len(here)
            view[: len(here)] = here
            self._fill(view[len(here) :])
            self._string(0)
        return length

    def _head(self) -> tuple[bytes, int]:
        """Return the kind of what comes next, and its length or number."""
        while (end := self._pending.find(b"\r\n", self._at)) < 0:
            self._more()
        kind, said = self._pending[self._at : self._at + 1], self._pending[self._at + 1 : end]
        self._at = end + 2
        if kind == b"-":
            raise _error(said.decode("utf-8", "replace"))
        return kind, int(said)

    def _string(self, length: int) -> bytes | None:
        if length < 0:
            return None
        while len(self._pending) < self._at + length + 2:
            self._more()
        start, self._at = self._at, self._at + length + 2
        return self._pending[start : start + length]

    def _more(self) -> None:
        received = self._sock.recv(_AT_ONCE)
        if not received:
            raise _closed()
        self._pending = self._pending[self._at :] + received
        self._at = 0

    def _fill(self, view: memoryview) -> None:
        while view:
            received = self._sock.recv_into(view)
            if not received:
                raise _closed()
            view = view[received:]


def packed(commands: Sequence[Sequence[bytes]]) -> bytes:
    """Return commands as Redis reads them."""
    pieces = []
    for command in commands:
        pieces.append(b"*%d\r\n" % len(command))
        pieces += [b"$%d\r\n%b\r\n" % (len(one), one) for one in command]
    return b"".join(pieces)


def _is_closed(error: Exception) -> bool:
    from redis.exceptions import ConnectionError

    return isinstance(error, (ConnectionError, OSError)) and not isinstance(error, TimeoutError)


def _error(said: str) -> Exception:
    """Return what redis-py would raise."""
    from redis import exceptions as redis

    kinds: dict[str, type[Exception]] = {
        "LOADING": redis.BusyLoadingError,
        "MASTERDOWN": redis.MasterDownError,
    }
    return kinds.get(said.partition(" ")[0], redis.ResponseError)(said)


def _closed() -> Exception:
    from redis.exceptions import ConnectionError

    return ConnectionError("The connection was closed.")
