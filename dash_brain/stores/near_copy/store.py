"""A store beyond a network, with copies on this host of what was read or written here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from time import perf_counter_ns
from typing import Any, ParamSpec, TypeVar

from dash_brain.common.forks import reset_in_children
from dash_brain.errors import DecodeError, StoreUnavailable, ValueMissing
from dash_brain.stores.base import Frames, Look, Looks, ObjectInfo, Place, Store
from dash_brain.stores.near_copy.answers import Answers
from dash_brain.stores.near_copy.copies import Copies
from dash_brain.stores.near_copy.habits import Habits
from dash_brain.stores.near_copy.outage import Outage
from dash_brain.stores.wrapper import StoreWrapper

P = ParamSpec("P")
T = TypeVar("T")

#: Bytes below which a value has no copy: it comes along when the far store is asked.
SMALL = 256 << 10

#: Notes of closed sessions, which are asked for at each request.
_CLOSED = "closed/"

#: Seconds from which on a life may be a twentieth shorter than it was to be, which saves a round trip. Clocks
#: of hosts differ by less.
_LONG = 600.0

#: How often a name is looked at again that is replaced while its value is fetched.
_LOOKS = 100


class NearCopy(StoreWrapper):
    """A store beyond a network, as fast to read from as one on this host.

    Each host keeps a copy of what it reads and writes. A read asks the far store which object is there, which
    is one round trip, and maps the copy of that; where there is none, one process of the host fetches it.
    What is gone there is a miss here too. Copies may be evicted at any time.

    Shared between processes, and survival of restarts: as the far store. Thread-safe: yes.

    Parameters
    ----------
    far
        The store beyond the network, which does as :class:`Looks` says.
    near
        The local store for the copies, which nothing else is kept in.
    when_down
        While the far store cannot be reached: ``"raise"`` ``StoreUnavailable``, or read what is ``"near"``
        and was not removed through this host. The log says so once for each outage.
    clock
        Seconds since the epoch; tests pass their own.

    Examples
    --------
    >>> from dash_brain.stores import CopyStore, NearCopy
    >>> NearCopy(far, CopyStore("near-orders", size="512MB"))  # doctest: +SKIP
    """

    wrapped: Any

    def __init__(
        self,
        far: Store,
        near: Store,
        *,
        when_down: str = "raise",
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(far, Looks):
            raise TypeError(f"{type(far).__name__} cannot look at several objects at once: see stores.Looks.")
        if when_down not in ("raise", "near"):
            raise ValueError(f"when_down is raise or near, and not {when_down!r}.")
        super().__init__(far)
        self._copies = Copies(near)
        far.count_in(near)
        self._serves_while_down = when_down == "near"
        self._outage = Outage()
        self._clock = clock
        self._answers, self._habits = Answers(), Habits()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Forget what the parent was told for its request."""
        self._answers = Answers()

    @property
    def place(self) -> str:
        """Where the values are, and the copies."""
        return f"{type(self.wrapped).__name__}, copied to {getattr(self._copies.store, 'place', 'memory')}"

    def check(self) -> None:
        try:
            self.wrapped.check()
        except StoreUnavailable:
            self.wrapped.secret()  # raises when there is no key, with which nothing can be read
            if not self._serves_while_down:
                raise

    def look_ahead(self, places: Sequence[Place]) -> None:
        self._answers.begin(places)
        if places:
            asked = self._habits.with_those_after(places)
            with suppress(StoreUnavailable, DecodeError):  # the reads raise it, each for its own value
                self._answers.note(asked, self._ask(self.wrapped.look, asked))

    def put(self, namespace: str, key: str, frames: Frames, **options: Any) -> str:
        self._answers.forget(namespace, key)
        object_id: str = self.wrapped.put(namespace, key, frames, **options)
        if _is_large(frames) or self._is_known_near(namespace):
            self._copies.keep(namespace, key, object_id, frames, options.get("ttl"))
        elif self._copies.has(namespace, key):  # of what was replaced
            self._copies.remove(namespace, key)
        return object_id

    def get(self, namespace: str, key: str) -> Frames:
        started = perf_counter_ns()
        try:
            frames = self._current(namespace, key)
        except StoreUnavailable:
            frames = self._copies.take(namespace, key) if self._serves_while_down else None
            if frames is None:
                raise
        if frames is None:
            self._copies.remove(namespace, key)
            return self.wrapped.get(namespace, key)  # type: ignore[no-any-return]  # raises, and knows why
        self.counters.note_get(namespace, sum(map(len, frames)), started)
        return frames

    def info(self, namespace: str, key: str) -> ObjectInfo:
        known = self._answers.known((namespace, key)) if (namespace, key) in self._answers else None
        return self.wrapped.info(namespace, key) if known is None else known

    def exists(self, namespace: str, key: str) -> bool:
        if (namespace, key) in self._answers:
            return self._answers.pop((namespace, key)) is not None
        try:
            return bool(self._ask(self.wrapped.exists, namespace, key))
        except StoreUnavailable:
            near = self._serves_while_down and self._copies.has(namespace, key)
            if not (near or self._is_known_near(namespace)):
                raise
            return near

    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        self._habits.note(self._answers.ahead, (namespace, key))
        known = self._answers.known((namespace, key))
        if known is not None and _lives_about(known, ttl, self._clock()):
            return
        self._answers.forget(namespace, key)
        try:
            self.wrapped.touch(namespace, key, ttl)
        except ValueMissing:
            self._copies.remove(namespace, key)
            raise
        self._copies.touch(namespace, key, ttl)

    def touch_many(self, namespace: str, keys: Iterable[str], ttl: float | None) -> set[str]:
        keys = list(keys)
        self._answers.forget(namespace)
        missing: set[str] = self.wrapped.touch_many(namespace, keys, ttl)
        for key in keys:
            if key in missing:
                self._copies.remove(namespace, key)
            else:
                self._copies.touch(namespace, key, ttl)
        return missing

    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        self._answers.forget(namespace, key)
        there = bool(self.wrapped.delete(namespace, key, object_id=object_id))
        self._copies.remove(namespace, key, object_id)
        return there

    def drop(self, namespace: str) -> None:
        self._answers.forget(namespace)
        self._copies.drop(namespace)
        self.wrapped.drop(namespace)
        self._copies.drop(namespace)  # what was fetched meanwhile

    def sweep(self) -> int:
        self._copies.sweep()
        return int(self.wrapped.sweep())

    def close(self) -> None:
        self._copies.close()
        self.wrapped.close()

    def _ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the far store, and note when it cannot be reached, or can be again."""
        try:
            answer = question(*args, **kwargs)
        except StoreUnavailable:
            if self._serves_while_down:
                self._outage.begin()
            raise
        self._outage.end()
        return answer

    def _is_known_near(self, namespace: str) -> bool:
        """Say whether what lies there is copied whatever its size, to be known during an outage."""
        return self._serves_while_down and namespace.startswith(_CLOSED)

    def _current(self, namespace: str, key: str) -> Frames | None:
        """Return the frames of the object that lies there now, None if there is none."""
        for _ in range(_LOOKS):
            found = self._look(namespace, key)
            frames = None if found is None else self._frames(found)
            if found is None or frames is not None:
                return frames
        return None

    def _look(self, namespace: str, key: str) -> Look | None:
        place = namespace, key
        self._habits.note(self._answers.ahead, place)
        if place in self._answers:
            return self._answers.pop(place)
        found: list[Look | None] = self._ask(self.wrapped.look, [place])
        self._answers.note([place], found, used=True)
        return found[0]

    def _frames(self, found: Look) -> Frames | None:
        """Return the frames of an object; None when another one has taken its place."""
        namespace, key, object_id = found.info.namespace, found.info.key, found.info.object_id
        if found.frames is not None:
            if self._serves_while_down and self._copies.take(namespace, key, object_id) is None:
                self._copies.remove(namespace, key)  # what was replaced is not to be served
            return found.frames
        frames = self._copies.take(namespace, key, object_id)
        if frames is not None:
            return frames
        with self._copies.lock(namespace, key):
            return self._copies.take(namespace, key, object_id) or self._fetched(found.info)

    def _fetched(self, found: ObjectInfo) -> Frames | None:
        """Fetch an object and keep a copy, which all readers of the host share."""
        try:
            frames: Frames = self.wrapped.fetch(found)
        except ValueMissing:
            return None
        place = found.namespace, found.key
        left = None if found.expires is None else found.expires - self._clock()
        if left is None or left > 0:
            self._copies.keep(*place, found.object_id, frames, left)
        return self._copies.take(*place, found.object_id) or frames


def _lives_about(known: ObjectInfo, ttl: float | None, now: float) -> bool:
    """Say whether an object lives for so long as it is, or nearly: then a touch would gain nothing."""
    if ttl is None or known.expires is None:
        return ttl is known.expires
    return ttl >= _LONG and 0.95 * ttl <= known.expires - now <= ttl


def _is_large(frames: Frames) -> bool:
    return sum(map(len, frames)) >= SMALL
