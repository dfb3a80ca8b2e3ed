"""What is known of the calls of memoized callbacks: small records, beside the large values.

A record tells of one call: what came out, with an object id in place of each large value, and what went in.
It is small and outlives the large values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from dash_brain import codec
from dash_brain.codec.stable import named
from dash_brain.errors import DecodeError, ValueMissing
from dash_brain.settings import current
from dash_brain.stores.base import Store, needs_scan
from dash_brain.stores.namespaces import RECIPE
from dash_brain.web.tokens import Verified

#: Scopes of what is memoized for all sessions of the app, and for one session.
SCOPES = {"app": "memo", "session": "session-memo"}

#: Arguments that take more bytes than this are not kept: their result cannot be computed once more.
LARGEST_ARGUMENTS = 64 << 10

#: Hex digits of the key of a record, with which the ids of its objects begin.
SHORT = 16


@named("MemoHeld")
class Held(NamedTuple):
    """Stands in a result for a large value; its token has this scope."""

    scope: str
    object_id: str


@named("MemoGiven")
class Given(NamedTuple):
    """Stands in arguments for the value of a token."""

    namespace: str
    object_id: str


@named("MemoRecord")
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


def values_given(given: Any) -> Iterator[Given]:
    """Yield what stands for values of tokens among inputs and states."""
    if isinstance(given, list):
        for one in given:
            yield from values_given(one)
    elif isinstance(given, Given):
        yield given


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
    return blake2b(call.encode(), key=store.secret(), digest_size=SHORT // 2).hexdigest()


def read(store: Store, namespace: str, short: str) -> Record | None:
    """Return a call's record, or None when there is none that can be read."""
    with suppress(ValueMissing, DecodeError):
        record = codec.decode(store.get(place_of(namespace), short))
        return record if isinstance(record, Record) else None
    return None


def write(store: Store, namespace: str, short: str, record: Record) -> None:
    """Keep a record for longer than what it tells of."""
    quota = current.use().quota
    store.put(
        place_of(namespace),
        short,
        codec.encode(record),
        ttl=_longer(record.ttl),
        retention=RECIPE.within(quota),
    )


def _longer(ttl: float | None) -> float | None:
    return None if ttl is None else 2 * ttl


def of_callback(store: Store, namespace: str, callback: str) -> Iterator[tuple[str, Record]]:
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


def keep(store: Store, namespace: str, short: str, record: Record) -> bool:
    """Let a record and what it tells of live on, and say whether all of it does."""
    try:
        store.touch(place_of(namespace), short, _longer(record.ttl))
        for held in record.objects:
            store.touch(namespace, held.object_id, record.ttl)
    except ValueMissing:
        return False
    return True
