"""What was computed by memoized callbacks: where it lies, and how to compute it once more.

A record tells of one call: what came out, with an object id in place of each large value, and what went in.
It is small and outlives the large values: when one was evicted and its token comes back, the call is made
again and the value put back in its place.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from dash.exceptions import InvalidCallbackReturnValue

from dash_brain import codec
from dash_brain.errors import DecodeError, EncodeError, StoreError, ValueMissing
from dash_brain.flights import Unkept, fly
from dash_brain.internals import call_outside_callbacks, flatten_grouping, is_no_update, map_grouping
from dash_brain.meetings import Goal
from dash_brain.settings import current
from dash_brain.stores.base import Store, needs_scan
from dash_brain.tokens import Token, Verified

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
    call, identity
        Fingerprints of function, shape and arguments; and of what stands for the arguments alone.
    made
        When it was computed, in seconds since the epoch.
    outputs, objects
        What came out, in the shape of the callback's outputs; and the large values among it.
    ttl
        Seconds that a large value lives on, or None.
    arguments
        What went in: the encoded list of inputs and states, or None if that is too large.
    """

    callback: str
    function: str
    call: str
    identity: str
    made: float
    outputs: Any
    objects: tuple[Held, ...]
    ttl: float | None
    arguments: bytes | None


@dataclass(frozen=True)
class Callback:
    """A memoized callback of this process: its function, and the shapes of its outputs and arguments."""

    function: Callable[..., Any]
    fingerprint: Callable[[], str]
    schema: Any
    indices: Any

    def run(self, given: list[Any]) -> Any:
        """Call the function with inputs and states in the order of their declaration."""
        args, kwargs = arguments(self.indices, given)
        if not inspect.iscoroutinefunction(self.function):
            return call_outside_callbacks(lambda: self.function(*args, **kwargs))
        with ThreadPoolExecutor(1) as alone:  # a loop may run in this thread
            run = copy_context().run
            return alone.submit(
                run, call_outside_callbacks, lambda: asyncio.run(self.function(*args, **kwargs))
            ).result()


_callbacks: dict[str, Callback] = {}

log = logging.getLogger("dash_brain")


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
    return f"session-recipes/{name}" if domain == SCOPES["session"] else f"recipes/{name}"


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
    quota = current.use().quota
    store.put(place_of(namespace), short, codec.encode(record), ttl=ttl, quota=quota)


def records(store: Store, namespace: str, callback: str) -> Iterator[tuple[str, Record]]:
    """Yield the records of a callback's calls, by their short names."""
    for short in needs_scan(store).scan(place_of(namespace)):
        record = read(store, namespace, short)
        if record is not None and record.callback == callback:
            yield short, record


def forget(store: Store, namespace: str, short: str, record: Record) -> None:
    """Forget a call and what came out. Who holds a token of that finds the value missing."""
    store.delete(place_of(namespace), short)
    for held in record.objects:
        store.delete(namespace, held.object_id)


def nbytes(store: Store, namespace: str, short: str, record: Record) -> int:
    """Return the bytes that a record and what it tells of occupy."""
    keys = [(place_of(namespace), short), *((namespace, held.object_id) for held in record.objects)]
    found = 0
    for key in keys:
        with suppress(ValueMissing):
            found += store.info(*key).nbytes
    return found


def keep(store: Store, namespace: str, record: Record) -> bool:
    """Let what a record tells of live on, and say whether all of it does."""
    try:
        for held in record.objects:
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
    return is_memoized(found) and _recipe(store, found) is not None


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
        When there is no recipe for it any more, an argument is gone too, or the function fails now.
    """
    recipe = _recipe(store, found)
    if recipe is None:
        raise ValueMissing("What it was computed from is not known any more.")
    record, callback, given = recipe

    def make() -> Any:
        try:
            result = callback.run(resolved(codec.decode([given]), resolve))
            values_now = values(callback.schema, record, result)
        except Exception as error:
            missing = ValueMissing(f"Computing it once more failed with {type(error).__name__}.")
            missing.reason = "evicted"
            raise missing from error
        try:
            put_back(store, found.namespace, record, values_now)
        except StoreError as error:
            log.warning("What was computed once more is not kept: %s", error)
            return Unkept(values_now[found.object_id])
        return values_now[found.object_id]

    goal = Goal(store, f"{'/'.join(found)} again", record.callback)
    return fly(goal, lambda: codec.decode(store.get(*found)), make)


def values(schema: Any, record: Record, result: Any) -> dict[str, Any]:
    """Return the large values in a result by the object ids that the record has for them.

    Raises
    ------
    ValueMissing
        When there is no large value any more in the place of one.
    """
    found = {}
    for held, value in _pairs(schema, record.outputs, result):
        if isinstance(held, Held):
            if value is None or isinstance(value, Token) or is_no_update(value):
                raise ValueMissing("Computed once more, it is no value for a ServerStore.")
            found[held.object_id] = value
    return found


def _pairs(schema: Any, before: Any, now: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what two results have in the same places, those of wildcards too."""
    try:
        single = not isinstance(schema, (list, tuple, dict))
        leaves = [[one] if single else flatten_grouping(one, schema) for one in (before, now)]
        for held, value in zip(*leaves, strict=True):
            if type(held) is list:
                yield from zip(held, value, strict=True)
            else:
                yield held, value
    except (InvalidCallbackReturnValue, ValueError, TypeError) as error:
        raise ValueMissing("Computed once more, it has another shape.") from error


def put_back(store: Store, namespace: str, record: Record, values: Mapping[str, Any]) -> None:
    """Store values under the ids that they had."""
    for object_id, value in values.items():
        frames, meta = codec.encode(value), {"type": codec.type_name(value)}
        store.put(namespace, object_id, frames, ttl=record.ttl, meta=meta, quota=current.use().quota)


def _recipe(store: Store, found: Verified) -> tuple[Record, Callback, bytes] | None:
    """Return record, callback and arguments of a value, if all that is known here and still the same."""
    record = read(store, found.namespace, found.object_id[:_SHORT])
    if record is None or record.arguments is None:
        return None
    callback = _callbacks.get(record.callback)
    if callback is None or found.object_id not in {held.object_id for held in record.objects}:
        return None
    with suppress(EncodeError):
        if callback.fingerprint() == record.function:
            return record, callback, record.arguments
    return None
