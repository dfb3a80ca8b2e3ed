"""Evicted values of memoized callbacks, computed again when their tokens come back.

The record of a call is the recipe of its values: the call is made again, and its values are stored under
their old ids. An argument may be such a value itself, whose recipe needs another one, and so on: they are
computed in a loop, the innermost first, so a chain may be of any length.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from dash.exceptions import InvalidCallbackReturnValue

from dash_brain import codec
from dash_brain.errors import DecodeError, EncodeError, StoreError, ValueMissing
from dash_brain.settings import current
from dash_brain.singleflight import Unkept, fly
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.stores.base import Store
from dash_brain.stores.namespaces import RESULT
from dash_brain.web.dash_internals import flatten_grouping, is_no_update
from dash_brain.web.recipes import definitions, records
from dash_brain.web.recipes.definitions import Definition
from dash_brain.web.recipes.records import SCOPES, ObjectRef, Record
from dash_brain.web.tokens import Token, Verified

log = logging.getLogger("dash_brain")

_DOMAINS = tuple(f"{scope}/" for scope in SCOPES.values())


class Recipe(NamedTuple):
    """How to compute a value again."""

    record: Record
    callback: Definition
    given: list[Any]

    @property
    def needs(self) -> list[Verified]:
        """The values of tokens among the arguments."""
        return [Verified(*one) for one in records.argument_refs(self.given)]


def lease(store: Store, found: Verified, seconds: float) -> bool:
    """Renew the lease of a memoized value, and say whether it exists or can be computed again."""
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
    """Say whether a value that is gone can be computed again."""
    return is_memoized(found) and _recipe(store, found) is not None


def compute_again(store: Store, found: Verified, resolve: Callable[[Verified], Any]) -> Any:
    """Compute an evicted value again, store it under its old id, and return it.

    Parameters
    ----------
    store
        The store that it was in.
    found
        Its namespace and object id, from the token.
    resolve
        Returns the value of an argument that exists.

    Raises
    ------
    ValueMissing
        When there is no recipe for it any more, an argument is gone too, or the function fails now.
    """
    # Values that the next recipe takes: in the store they may be evicted again at once, for memory is short.
    in_hand: dict[Verified, Any] = {}
    made, pending = set(), [found]
    while pending:
        recipe = _recipe(store, pending[-1])
        needs = [one for one in recipe.needs if one not in made and _is_gone(store, one)] if recipe else []
        if needs:
            pending += needs
            continue
        wanted = pending.pop()
        if wanted not in made:
            in_hand[wanted] = _made(store, wanted, recipe, lambda one: _taken(in_hand, one, resolve))
            made.add(wanted)
    return in_hand[found]


def _is_gone(store: Store, found: Verified) -> bool:
    """Say whether a value is gone and can be computed again."""
    return not store.exists(*found) and is_remembered(store, found)


def _taken(in_hand: dict[Verified, Any], found: Verified, resolve: Callable[[Verified], Any]) -> Any:
    """Return an argument. A value in hand is used once, since the function may change it."""
    return in_hand.pop(found) if found in in_hand else resolve(found)


def _made(store: Store, found: Verified, recipe: Recipe | None, resolve: Callable[[Verified], Any]) -> Any:
    """Compute a value whose arguments exist."""
    if recipe is None:
        raise ValueMissing(
            "There is no recipe for it any more: its record is gone, or the callback has changed."
        )
    # The id of its first object: a call is made again once for all its objects.
    first = recipe.record.objects[0].object_id
    key = FlightKey(store, f"{found.namespace}/{first} again", recipe.record.callback)

    def look() -> dict[str, Any]:
        return {found.object_id: codec.decode(store.get(*found))}

    def make() -> dict[str, Any] | Unkept[dict[str, Any]]:
        with recipe.callback.making(found.namespace.partition("/")[0]):
            return _make(store, found, recipe, resolve)

    made: dict[str, Any] = {}
    while found.object_id not in made:  # an outcome that could not be stored may have another object only
        made = fly(key, look, make)
    return made[found.object_id]


def _make(
    store: Store, found: Verified, recipe: Recipe, resolve: Callable[[Verified], Any]
) -> dict[str, Any] | Unkept[dict[str, Any]]:
    """Make the call again, and return its values by id; only the wanted one if they cannot be stored."""
    record, callback, given = recipe
    try:
        values_now = values_by_id(
            callback.outputs.schema, record, callback.run(records.resolved(given, resolve))
        )
    except Exception as error:
        raise _missing(error) from error
    try:
        if put_back(store, found.namespace, record, values_now):
            return values_now
    except EncodeError as error:
        raise _missing(error) from error
    except StoreError as error:
        log.warning("What was computed once more is not kept: %s", error)
    # Each waiting caller gets a copy, and memory is short.
    return Unkept({found.object_id: values_now[found.object_id]})


def _missing(error: Exception) -> ValueMissing:
    missing = ValueMissing(f"Computing it once more failed with {type(error).__name__}.")
    missing.reason = "evicted"
    return missing


def values_by_id(schema: Any, record: Record, result: Any) -> dict[str, Any]:
    """Return the large values in a result, by the object ids in the record.

    Raises
    ------
    ValueMissing
        When the result has no large value where the record has one.
    """
    found = {}
    for held, value in _pairs(schema, record.outputs, result):
        if isinstance(held, ObjectRef):
            if value is None or isinstance(value, Token) or is_no_update(value):
                raise ValueMissing("Computed once more, it is no value for a ServerStore.")
            found[held.object_id] = value
    return found


def _pairs(schema: Any, before: Any, now: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of what two results have in the same places, those of wildcards too."""
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


def put_back(store: Store, namespace: str, record: Record, values: Mapping[str, Any]) -> bool:
    """Store values under their old ids, and say whether they were kept: not when they were forgotten."""
    for object_id, value in values.items():
        frames, meta = codec.encode(value), {**codec.summary(value), "callback": record.callback}
        store.put(
            namespace,
            object_id,
            frames,
            ttl=record.ttl,
            meta=meta,
            retention=RESULT.within(current.use().quota),
        )
    # Checked afterwards, because forget() deletes the record first and then the objects.
    if _is_kept(store, namespace, record):
        return True
    for object_id in values:
        store.delete(namespace, object_id)
    return False


def _is_kept(store: Store, namespace: str, record: Record) -> bool:
    """Say whether the record of a call is still there, or was replaced by a newer one and has a ttl."""
    for short in {held.object_id[: records.SHORT] for held in record.objects}:
        found = records.read(store, namespace, short)
        if found is None or (found.objects != record.objects and record.ttl is None):
            return False
    return True


def _recipe(store: Store, found: Verified) -> Recipe | None:
    """Return the recipe of a value; None when this process does not have the callback, or it has changed."""
    record = records.read(store, found.namespace, found.object_id[: records.SHORT])
    if record is None or record.arguments is None:
        return None
    callback = definitions.find(record.callback)
    if callback is None or found.object_id not in {held.object_id for held in record.objects}:
        return None
    with suppress(EncodeError, DecodeError):
        if callback.fingerprint() == record.function:
            return Recipe(record, callback, codec.decode([record.arguments]))
    return None
