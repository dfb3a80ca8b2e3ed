"""The shared storage of Dash 4.5, on a store of dash_brain."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from dash import BaseSharedStorage, SharedStorageError, SharedStorageGap  # type: ignore[attr-defined]

from dash_brain.adapters.values import Values
from dash_brain.common.polling import moments
from dash_brain.errors import EncodeError, StoreError, ValueMissing
from dash_brain.stores import Store
from dash_brain.stores.base import needs_lock

#: Messages of a topic that a reader may be behind: as with Dash's own storages.
BUFFER = 32
#: Seconds that a topic may live at least.
SHORTEST = 1.0
#: Seconds between two looks of a reader that waits.
_PAUSE = 0.05
#: What belongs to a topic lives for so many of its ttls, and is renewed when less than one is left.
_SLACK = 1.25
_HEAD = "head"


class _Head(NamedTuple):
    """The number of the last message of a topic, and the ttl of the topic."""

    number: int = 0
    ttl: float | None = None


class BrainSharedStorage(BaseSharedStorage):  # type: ignore[misc]
    """Keys and topics of ``dash.ctx.shared_storage`` in a store of dash_brain.

    All processes that open the store share them: those of a host, or of all hosts with a ``redis://`` store.
    Values may be whatever dash_brain can store, and are private to the reader: a frame comes back as a frame.

    Parameters
    ----------
    store
        A store or its URL; by default the one of ``configure()``.
    name
        Storages of one name and store share keys and topics.
    buffer_size
        Messages of a topic that a reader may be behind, before it gets ``SharedStorageGap``.

    Examples
    --------
    >>> from dash import Dash
    >>> app = Dash("app", shared_storage=BrainSharedStorage("memory://"))
    >>> app.shared_storage.set("count", 1)
    >>> app.shared_storage.get("count")
    1
    """

    def __init__(
        self, store: Store | str | None = None, name: str = "default", buffer_size: int = BUFFER
    ) -> None:
        self._name = name
        self._buffer = buffer_size
        self._given = store
        self._values = Values(store, f"shared-storage/{name}")

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default."""
        with _as_errors_of_dash():
            try:
                return self._values.get(key)
            except ValueMissing:
                return default

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Keep a value for ``ttl`` seconds, None: for good."""
        with _as_errors_of_dash():
            self._values.put(key, value, ttl)

    def delete(self, key: str) -> None:
        """Delete a value; one that is not there is fine."""
        with _as_errors_of_dash():
            self._values.delete(key)

    def publish(self, topic: str, message: Any, ttl: float | None = None) -> None:
        """Append a message to a topic, which lives for ``ttl`` seconds after it was used last."""
        if ttl is not None and not SHORTEST <= ttl < math.inf:
            raise SharedStorageError(f"The ttl of a topic is {SHORTEST} s or more, or None, and not {ttl!r}.")
        messages = self._topic(topic)
        with _as_errors_of_dash(), needs_lock(messages.store).lock(messages.namespace):
            before = _head(messages)
            head = _Head(before.number + 1, ttl)
            messages.put(str(head.number), message, _life(ttl))
            # A process that dies before this has published nothing: the next one writes the same number.
            _put_head(messages, head)
            messages.delete(str(head.number - self._buffer))
            if ttl != before.ttl:
                self._renew(messages, head)

    def subscribe(self, topic: str, replay_from: int | None = None) -> Subscription:
        """Return the messages of a topic from now on, or after the one with a number."""
        with _as_errors_of_dash():
            start = _head(self._topic(topic)).number if replay_from is None else replay_from
        return Subscription(lambda cursor, timeout: self._poll(topic, cursor, timeout), start)

    def _topic(self, topic: str) -> Values:
        return Values(self._given, f"shared-topics/{self._name}/{topic}")

    def _poll(self, topic: str, cursor: int, timeout: float) -> list[tuple[int, Any]]:
        """Return what came after a message, with its numbers; wait for something that long."""
        messages = self._topic(topic)
        with _as_errors_of_dash():
            for _ in moments(timeout, _PAUSE):
                head = self._used(messages)
                if head.number != cursor:
                    return self._between(messages, cursor, head.number)
        return []

    def _between(self, messages: Values, cursor: int, last: int) -> list[tuple[int, Any]]:
        # Beyond the last one: the topic began anew.
        if not 0 <= last - cursor <= self._buffer:
            raise _gap(messages)
        try:
            return [(number, messages.get(str(number))) for number in range(cursor + 1, last + 1)]
        except ValueMissing as error:
            raise _gap(messages) from error

    def _used(self, messages: Values) -> _Head:
        """Return the head of a topic, and let a topic that has a ttl live on."""
        head = _head(messages)
        if head.ttl is not None:
            try:
                expires = messages.store.info(messages.namespace, _HEAD).expires
            except ValueMissing:
                return _Head()
            if expires is not None and expires - time.time() < head.ttl:
                self._renew(messages, head)
        return head

    def _renew(self, messages: Values, head: _Head) -> None:
        oldest = max(1, head.number - self._buffer + 1)
        keys = [_HEAD, *map(str, range(oldest, head.number + 1))]
        messages.store.touch_many(messages.namespace, keys, _life(head.ttl))


class Subscription:
    """The messages of a topic, in their order, for one reader.

    Parameters
    ----------
    poll
        Returns the messages after a number with theirs, waiting so many seconds for one.
    cursor
        Number of the last message that was seen.
    """

    def __init__(self, poll: Callable[[int, float], list[tuple[int, Any]]], cursor: int) -> None:
        self._poll = poll
        self._cursor = cursor
        self._closed = False

    def poll(self, timeout: float = 0.0) -> list[tuple[int, Any]]:
        """Return the messages that came since, with their numbers; wait for one that long.

        ``SharedStorageGap``: some of them are not kept any more.
        """
        found = self._poll(self._cursor, timeout)
        if found:
            self._cursor = found[-1][0]
        return found

    def iter_with_seq(self) -> Iterator[tuple[int, Any]]:
        """Yield messages with their numbers as they come, until it is closed."""
        while not self._closed:
            for number, message in self._poll(self._cursor, 1.0):
                self._cursor = number
                yield number, message

    async def aiter_with_seq(self) -> AsyncIterator[tuple[int, Any]]:
        """Do the same on an event loop, which is never blocked."""
        loop = asyncio.get_running_loop()
        while not self._closed:
            found = await loop.run_in_executor(None, self._poll, self._cursor, 0.0)
            for number, message in found:
                self._cursor = number
                yield number, message
            if not found:
                await asyncio.sleep(_PAUSE)

    def close(self) -> None:
        """End the iteration."""
        self._closed = True

    def __iter__(self) -> Iterator[Any]:
        return (message for _, message in self.iter_with_seq())

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for _, message in self.aiter_with_seq():
            yield message

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


def _head(messages: Values) -> _Head:
    try:
        return _Head(*json.loads(messages.get(_HEAD)))
    except ValueMissing:
        return _Head()


def _put_head(messages: Values, head: _Head) -> None:
    messages.put(_HEAD, json.dumps(head), _life(head.ttl))


def _life(ttl: float | None) -> float | None:
    return None if ttl is None else ttl * _SLACK


def _gap(messages: Values) -> SharedStorageGap:
    topic = messages.namespace.split("/", 2)[2]
    return SharedStorageGap(f"Messages of topic {topic!r} are not kept any more; begin at its head again.")


@contextmanager
def _as_errors_of_dash() -> Iterator[None]:
    try:
        yield
    except (StoreError, EncodeError) as error:
        raise SharedStorageError(str(error)) from error
