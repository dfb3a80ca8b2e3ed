"""Records of calls of memoized callbacks.

A record has the outputs of one call, with an object id in place of each large value, and its arguments. It is
small, and outlives the large values.
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

#: The scope of a memoized value's token, by the scope of the callback's ``memoize=``.
SCOPES = {"app": "memo", "session": "session-memo"}

#: Bytes of arguments up to which they are kept; otherwise the result cannot be computed again.
LARGEST_ARGUMENTS = 64 << 10

#: Hex digits of the key of a record. The ids of its objects begin with them.
SHORT = 16


@named("MemoHeld")
class ObjectRef(NamedTuple):
    """Stands for a large value in a result: the object id, and the scope of its token."""

    scope: str
    object_id: str


@named("MemoGiven")
class ArgumentRef(NamedTuple):
    """Stands for the value of a token in arguments."""

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
        Fingerprints of function, shape and arguments together; and of the arguments, or their ``key=``,
        alone.
    made
        When it was computed, in seconds since the epoch.
    outputs, objects
        The result, in the shape of the callback's outputs; and references to the large values in it.
    ttl
        Seconds that its objects live, or None.
    arguments
        The encoded list of inputs and states, or None if it is too large.
    """

    callback: str
    function: str
    call: str
    identity: str
    made: float
    outputs: Any
    objects: tuple[ObjectRef, ...]
    ttl: float | None
    arguments: bytes | None


def argument_refs(given: Any) -> Iterator[ArgumentRef]:
    """Yield the references among inputs and states."""
    if isinstance(given, list):
        for one in given:
            yield from argument_refs(one)
    elif isinstance(given, ArgumentRef):
        yield given


def resolved(given: Any, resolve: Callable[[Verified], Any]) -> Any:
    """Return inputs and states with the values of tokens in them."""
    if isinstance(given, list):
        return [resolved(one, resolve) for one in given]
    return resolve(Verified(*given)) if isinstance(given, ArgumentRef) else given


def record_namespace(namespace: str) -> str:
    """Return the namespace of the records of objects in a namespace."""
    domain, _, name = namespace.partition("/")
    return f"session-recipes/{name}" if domain == SCOPES["session"] else f"recipes/{name}"


def record_key(store: Store, call: str) -> str:
    """Return the key of a call's record: a keyed hash, with which the ids of its objects begin."""
    return blake2b(call.encode(), key=store.secret(), digest_size=SHORT // 2).hexdigest()


def read(store: Store, namespace: str, short: str) -> Record | None:
    """Return a call's record, or None when there is none that can be read."""
    with suppress(ValueMissing, DecodeError):
        record = codec.decode(store.get(record_namespace(namespace), short))
        return record if isinstance(record, Record) else None
    return None


def write(store: Store, namespace: str, short: str, record: Record) -> None:
    """Store a record, with a longer ttl than its objects."""
    quota = current.use().quota
    store.put(
        record_namespace(namespace),
        short,
        codec.encode(record),
        ttl=_longer(record.ttl),
        meta={"callback": record.callback},
        retention=RECIPE.within(quota),
    )


def _longer(ttl: float | None) -> float | None:
    return None if ttl is None else 2 * ttl


def of_callback(store: Store, namespace: str, callback: str) -> Iterator[tuple[str, Record]]:
    """Yield the records of a callback's calls, by their keys."""
    for short in needs_scan(store).scan(record_namespace(namespace)):
        record = read(store, namespace, short)
        if record is not None and record.callback == callback:
            yield short, record


def forget(store: Store, namespace: str, short: str, record: Record) -> None:
    """Delete a record and its objects. Their tokens are of no use any more."""
    store.delete(record_namespace(namespace), short)
    for held in record.objects:
        store.delete(namespace, held.object_id)


def nbytes(store: Store, namespace: str, short: str, record: Record) -> int:
    """Return the bytes that a record and its objects occupy."""
    keys = [(record_namespace(namespace), short), *((namespace, held.object_id) for held in record.objects)]
    found = 0
    for key in keys:
        with suppress(ValueMissing):
            found += store.info(*key).nbytes
    return found


def touch(store: Store, namespace: str, short: str, record: Record) -> bool:
    """Renew a record and its objects, and say whether all of them exist."""
    try:
        store.touch(record_namespace(namespace), short, _longer(record.ttl))
        for held in record.objects:
            store.touch(namespace, held.object_id, record.ttl)
    except ValueMissing:
        return False
    return True
