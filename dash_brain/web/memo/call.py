"""One call of a memoized callback: its caller, its arguments, and the key of its result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


class MemoizedCall:
    """One call.

    Parameters
    ----------
    callback
        Its definition.
    caller
        The session and app of the request.
    context
        The callback's context: inputs, states and outputs.

    Raises
    ------
    NotKept
        When an argument is gone.
    """

    def __init__(self, callback: Definition, caller: Caller, context: Any) -> None:
        self._callback = callback
        self._caller = caller
        self._context = context
        self._given = list(self._what_is_given())
        self.result = MemoizedResult(callback, self._result_key(), self._given)

    def compute(self) -> Record | Unkept[Record]:
        """Call the function, and keep what it returns."""
        args, kwargs = self._arguments()
        with self.result.making():
            return self._keep(self._callback.function(*args, **kwargs))

    async def compute_async(self) -> Record | Unkept[Record]:
        """Call the coroutine function, and keep what it returns."""
        args, kwargs = await beside_loop(self._arguments)
        with self.result.making():
            return await beside_loop(self._keep, await self._callback.function(*args, **kwargs))

    def _keep(self, result: Any) -> Record | Unkept[Record]:
        return self.result.keep(result, self._caller, self._context)

    def _result_key(self) -> ResultKey:
        callback, store = self._callback, current.use().store
        scope = records.SCOPES["session" if self._is_personal() else callback.memoize.scope]
        function = callback.fingerprint()
        stores = server_store_outputs(self._context, callback.outputs, self._caller)
        shape = repr(callback.outputs.schema), repr(callback.inputs.indices), stores
        identity = fingerprints.of_value(self._identity())
        call = fingerprints.of_value((function, shape, identity))
        return ResultKey(store, scope, self._caller.namespace(scope), function, call, identity)

    def _what_is_given(self) -> Iterator[Any]:
        """Yield the value of each input and state, with :class:`ArgumentRef` for large ones."""
        callback, keys, namespaces = self._callback, self._caller.keys, self._caller.namespaces
        stores = server_stores(self._context, callback.inputs, self._caller)

        def given(leaf: dict[str, Any]) -> Any:
            value = leaf.get("value")
            if value is None or id(leaf) not in stores:
                return value
            try:
                found = tokens.verify(keys, namespaces, value)
            except BadToken as error:
                raise NotKept from error
            reading.renew(self._caller, found, str(leaf["id"]))
            return ArgumentRef(*found)

        for leaf in (*self._context["inputs_list"], *self._context["states_list"]):
            yield list(map(given, leaf)) if isinstance(leaf, list) else given(leaf)

    def _is_personal(self) -> bool:
        """Say whether an argument is a value of the session, which no other session has."""
        return any(one.namespace.startswith("session") for one in records.argument_refs(self._given))

    def _identity(self) -> Any:
        """Return what identifies the arguments: the result of ``key=``, else the arguments themselves."""
        key = self._callback.memoize.key
        if key is None:
            return self._given
        try:
            given = records.resolved(self._given, resolve_verified)
        except ValueMissing as error:
            raise NotKept from error
        args, kwargs = self._callback.inputs.arguments(given)
        return key(*args, **kwargs)

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        try:
            return resolve_arguments(self._context, self._caller, self._callback.inputs, "raise")
        except (ValueMissing, BadToken) as error:
            raise NotKept from error
