"""One call of a memoized callback: its caller, its arguments, and the key of its result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dash_brain.errors import BadToken, BrainError, ValueMissing
from dash_brain.memo import fingerprints
from dash_brain.settings import current
from dash_brain.singleflight import Unkept
from dash_brain.web import tokens
from dash_brain.web.event_loop import beside_loop
from dash_brain.web.exchange import resolve_verified
from dash_brain.web.incoming import resolve_arguments, server_stores
from dash_brain.web.leases import reading
from dash_brain.web.memo.result import MemoizedResult, ResultKey
from dash_brain.web.outgoing import server_store_outputs
from dash_brain.web.recipes import records
from dash_brain.web.recipes.definitions import Definition
from dash_brain.web.recipes.records import ArgumentRef, Record
from dash_brain.web.sessions import Caller


class NotKept(BrainError):
    """An argument is gone, so the result is not kept."""


class MemoizedCall(NamedTuple):
    """One call, made by :func:`memoized_call`."""

    callback: Definition
    #: The session and app of the request.
    caller: Caller
    #: The callback's context: inputs, states and outputs.
    context: Any
    result: MemoizedResult

    def compute(self) -> Record | Unkept[Record]:
        """Call the function, and keep what it returns."""
        args, kwargs = self._arguments()
        with self.result.making():
            return self._keep(self.callback.function(*args, **kwargs))

    async def compute_async(self) -> Record | Unkept[Record]:
        """Call the coroutine function, and keep what it returns."""
        args, kwargs = await beside_loop(self._arguments)
        with self.result.making():
            return await beside_loop(self._keep, await self.callback.function(*args, **kwargs))

    def _keep(self, result: Any) -> Record | Unkept[Record]:
        return self.result.keep(result, self.caller, self.context)

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        try:
            return resolve_arguments(self.context, self.caller, self.callback.inputs, "raise")
        except (ValueMissing, BadToken) as error:
            raise NotKept from error


def memoized_call(callback: Definition, caller: Caller, context: Any) -> MemoizedCall:
    """Return the call that a context asks for, with the key of its result.

    Raises
    ------
    NotKept
        When an argument is gone.
    """
    given = list(_what_is_given(callback, caller, context))
    key = _result_key(callback, caller, context, given)
    return MemoizedCall(callback, caller, context, MemoizedResult(callback, key, given))


def _result_key(callback: Definition, caller: Caller, context: Any, given: list[Any]) -> ResultKey:
    store = current.use().store
    scope = records.SCOPES["session" if _is_personal(given) else callback.memoize.scope]
    function = callback.fingerprint()
    stores = server_store_outputs(context, callback.outputs, caller)
    shape = repr(callback.outputs.schema), repr(callback.inputs.indices), stores
    identity = fingerprints.of_value(_identity(callback, given))
    call = fingerprints.of_value((function, shape, identity))
    return ResultKey(store, scope, caller.namespace(scope), function, call, identity)


def _what_is_given(callback: Definition, caller: Caller, context: Any) -> Iterator[Any]:
    """Yield the value of each input and state, with :class:`ArgumentRef` for large ones."""
    keys, namespaces = caller.keys, caller.namespaces
    stores = server_stores(context, callback.inputs, caller)

    def given(leaf: dict[str, Any]) -> Any:
        value = leaf.get("value")
        if value is None or id(leaf) not in stores:
            return value
        try:
            found = tokens.verify(keys, namespaces, value)
        except BadToken as error:
            raise NotKept from error
        reading.renew(caller, found, str(leaf["id"]))
        return ArgumentRef(*found)

    for leaf in (*context["inputs_list"], *context["states_list"]):
        yield list(map(given, leaf)) if isinstance(leaf, list) else given(leaf)


def _is_personal(given: list[Any]) -> bool:
    """Say whether an argument is a value of the session, which no other session has."""
    return any(one.namespace.startswith("session") for one in records.argument_refs(given))


def _identity(callback: Definition, given: list[Any]) -> Any:
    """Return what identifies the arguments: the result of ``key=``, else the arguments themselves."""
    key = callback.memoize.key
    if key is None:
        return given
    try:
        values = records.resolved(given, resolve_verified)
    except ValueMissing as error:
        raise NotKept from error
    args, kwargs = callback.inputs.arguments(values)
    return key(*args, **kwargs)
