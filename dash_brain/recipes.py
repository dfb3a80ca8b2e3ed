"""What was computed by memoized callbacks: where it lies, and how to compute it once more.

A record tells of one call: what came out, with an object id in place of each large value, and what went in.
It is small and outlives the large values: when one was evicted and its token comes back, the call is made
again and the value put back in its place.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from dash_brain import codec
from dash_brain.errors import DecodeError, EncodeError, ValueMissing
from dash_brain.flights import Goal, fly
from dash_brain.internals import flatten_grouping, map_grouping
from dash_brain.stores.base import Store
from dash_brain.tokens import Verified

#: Scopes of what is memoized for all sessions of the app, and for one session.
SCOPES = {"app": "memo", "session": "session-memo"}

#: Arguments that take more bytes than this are not kept: their result cannot be computed once more.
LARGEST_ARGUMENTS = 64 << 10

_DOMAINS = tuple(f"{scope}/" for scope in SCOPES.values())
_SHORT = 16


class Held(NamedTuple):
    """Stands in a result for a large value; its token has this scope."""

    scope: str
    object_id: str


class Given(NamedTuple):
    """Stands in arguments for the value of a token."""

    namespace: str
    object_id: str


@dataclass(frozen=True)
class Record:
    """One call of a memoized callback.

    Attributes
    ----------
    callback, function
        The callback's name, and the fingerprint of its function as it was.
    call
        Fingerprint of function and arguments.
    made
        When it was computed, in seconds since the epoch.
    outputs
        What came out, in the shape of the callback's outputs.
    ttl
        Seconds that a large value lives on, or None.
    arguments
        What went in: the encoded list of inputs and states, or None if that is too large.
    """

    callback: str
    function: str
    call: str
    made: float
    outputs: Any
    ttl: float | None
    arguments: bytes | None

    def held(self) -> Iterator[Held]:
        """Yield what stands for large values, in the order of the outputs."""
        return _held(self.outputs)


@dataclass(frozen=True)
class Callback:
    """A memoized callback of this process: its function, and the shapes of its outputs and arguments."""

    function: Callable[..., Any]
    fingerprint: Callable[[], str]
    schema: Any
    indices: Any

    def results(self, outputs: Any) -> list[Any]:
        """Return the results one by one, in the order of the declared outputs."""
        single = not isinstance(self.schema, (list, tuple, dict))
        return [outputs] if single else flatten_grouping(outputs, self.schema)

    def run(self, given: list[Any]) -> Any:
        """Call the function with inputs and states in the order of their declaration."""
        args, kwargs = arguments(self.indices, given)
        if not inspect.iscoroutinefunction(self.function):
            return self.function(*args, **kwargs)
        with ThreadPoolExecutor(1) as alone:  # a loop may run in this thread
            return alone.submit(lambda: asyncio.run(self.function(*args, **kwargs))).result()


_callbacks: dict[str, Callback] = {}


def remember(name: str, callback: Callback) -> None:
    """Enter a callback, so that its results can be computed once more."""
    _callbacks[name] = callback


def arguments(indices: Any, given: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a function whose grouping of inputs and states is ``indices``."""
    return as_arguments(indices, map_grouping(lambda index: given[index], indices))


def as_arguments(indices: Any, grouped: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a function from its grouped inputs and states."""
    if isinstance(indices, dict):
        return (), grouped
    return tuple(grouped) if isinstance(indices, (list, tuple)) else (grouped,), {}


def resolved(given: Any, resolve: Callable[[Verified], Any]) -> Any:
    """Return inputs and states with the values of tokens in them."""
    if isinstance(given, list):
        return [resolved(one, resolve) for one in given]
    return resolve(Verified(*given)) if isinstance(given, Given) else given


def place_of(namespace: str) -> str:
    """Return where the records of what lies in a namespace are kept."""
    domain, _, name = namespace.partition("/")
    return f"recipes/{name}" if domain == SCOPES["session"] else f"recipes/app/{name}"


def short_name(store: Store, call: str) -> str:
    """Return the key of a call's record, with which the ids of its objects begin; it reveals nothing."""
    return blake2b(call.encode(), key=store.secret(), digest_size=_SHORT // 2).hexdigest()


def read(store: Store, namespace: str, short: str) -> Record | None:
    """Return a call's record, or None when there is none that can be read."""
    with suppress(ValueMissing, DecodeError):
        record = codec.decode(store.get(place_of(namespace), short))
        return record if isinstance(record, Record) else None
    return None


def write(store: Store, namespace: str, short: str, record: Record) -> None:
    """Keep a record for longer than what it tells of."""
    ttl = None if record.ttl is None else 2 * record.ttl
    store.put(place_of(namespace), short, codec.encode(record), ttl=ttl)


def keep(store: Store, namespace: str, record: Record) -> bool:
    """Let what a record tells of live on, and say whether all of it does."""
    try:
        for held in record.held():
            store.touch(namespace, held.object_id, record.ttl)
    except ValueMissing:
        return False
    return True


def lease(store: Store, found: Verified, seconds: float) -> bool:
    """Let a memoized value live so long at least, and say whether it is there or can be computed again."""
    try:
        expires = store.info(*found).expires
        if expires is not None and expires < time.time() + seconds:
            store.touch(*found, seconds)
    except ValueMissing:
        return is_remembered(store, found)
    return True


def is_memoized(found: Verified) -> bool:
    """Say whether a token is that of a memoized value."""
    return found.namespace.startswith(_DOMAINS)


def is_remembered(store: Store, found: Verified) -> bool:
    """Say whether the value, which is gone, is one that can be computed once more."""
    if not is_memoized(found):
        return False
    record = read(store, found.namespace, found.object_id[:_SHORT])
    return record is not None and record.arguments is not None and _callback(record) is not None


def goal_of(store: Store, namespace: str, short: str, name: str) -> Goal:
    """Return the goal of those who want the result of a call."""
    return Goal(store, f"{place_of(namespace)}/{short}", name)


def compute_again(store: Store, found: Verified, resolve: Callable[[Verified], Any]) -> Any:
    """Return a value that was evicted, computed once more and put back in its place.

    Parameters
    ----------
    store
        Where it lay.
    found
        What its token says.
    resolve
        Returns the value of an argument.

    Raises
    ------
    ValueMissing
        When there is no recipe for it any more, or an argument is gone too.
    """
    if not is_memoized(found):
        raise ValueMissing("It was not memoized.")
    short = found.object_id[:_SHORT]
    record = read(store, found.namespace, short)
    callback = None if record is None else _callback(record)
    given = None if record is None else record.arguments
    if record is None or callback is None or given is None:
        raise ValueMissing("What it was computed from is not known any more.")

    def look() -> Any:
        return codec.decode(store.get(*found))

    def make() -> Any:
        result = callback.run(resolved(codec.decode([given]), resolve))
        _put_back(store, found.namespace, record, callback, result)
        return look()

    return fly(goal_of(store, found.namespace, short, record.callback), look, make)


def _callback(record: Record) -> Callback | None:
    """Return the callback of a record, if it is still the same in this process."""
    callback = _callbacks.get(record.callback)
    with suppress(EncodeError):
        return callback if callback is not None and callback.fingerprint() == record.function else None
    return None


def _held(outputs: Any) -> Iterator[Held]:
    if isinstance(outputs, Held):
        yield outputs
    elif isinstance(outputs, (list, tuple)):
        for one in outputs:
            yield from _held(one)
    elif isinstance(outputs, dict):
        for one in outputs.values():
            yield from _held(one)


def _put_back(store: Store, namespace: str, record: Record, callback: Callback, result: Any) -> None:
    for held, value in zip(callback.results(record.outputs), callback.results(result), strict=False):
        pairs = zip(held, value, strict=False) if type(held) is list else [(held, value)]
        for one, part in pairs:
            if isinstance(one, Held):
                frames, meta = codec.encode(part), {"type": codec.type_name(part)}
                store.put(namespace, one.object_id, frames, ttl=record.ttl, meta=meta)
