"""A memoized callback: it returns a kept result for its arguments, or computes it.

A hit decodes and copies no large value: it mints tokens for the stored objects. The key of a call is made in
:mod:`dash_brain.web.memo.call`, and its result is read and stored in :mod:`dash_brain.web.memo.result`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ParamSpec, Protocol, TypeVar

from dash_brain.errors import ValueMissing
from dash_brain.memo import fingerprints
from dash_brain.memo.functions import MemoInfo
from dash_brain.memo.revalidation import renewals
from dash_brain.settings import current
from dash_brain.singleflight import fly, fly_async
from dash_brain.web import server_timing
from dash_brain.web.dependencies import in_declared_order
from dash_brain.web.event_loop import beside_loop
from dash_brain.web.memo.call import NotKept, memoized_call
from dash_brain.web.memo.result import MemoizedResult
from dash_brain.web.recipes import definitions, records
from dash_brain.web.recipes.definitions import Definition
from dash_brain.web.recipes.records import ArgumentRef, Record
from dash_brain.web.sessions import Caller, current_caller
from dash_brain.web.sessions.job_context import current_job
from dash_brain.web.tokens import Token, verify

Params = ParamSpec("Params")
Result_co = TypeVar("Result_co", covariant=True)


class CallbackWithResults(Protocol[Params, Result_co]):
    """A function that was declared as a memoized callback."""

    def __call__(self, *args: Params.args, **kwargs: Params.kwargs) -> Result_co:
        """Call the function itself."""

    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Forget the results for these arguments; see :meth:`MemoizedCallback.forget`."""

    def forget_all(self) -> None:
        """Forget all results: those of the app, and of the caller's session."""

    def info(self) -> MemoInfo:
        """Return hits, misses and size."""


class MemoizedCallback:
    """The results of one declared callback."""

    def __init__(self, callback: Definition) -> None:
        self._callback = callback
        self._hits = self._misses = 0
        definitions.register(callback)

    def outputs(self, caller: Caller, context: Any) -> Any:
        """Return the results for the arguments in the context, with :class:`ObjectRef` for large values.

        Raises
        ------
        NotKept
            When an argument is gone.
        """
        call = memoized_call(self._callback, caller, context)
        result = call.result
        record = self._counted(result)
        if record is None:
            record = fly(result.flight_key, result.fresh, call.compute)
        elif result.is_stale(record):
            key = result.flight_key
            renewals.in_background(key, lambda: fly(key, result.fresh, call.compute))
        return record.outputs

    def kept(self, caller: Caller, context: Any) -> Any:
        """Return the results for the arguments in the context, where they are there and fresh.

        Raises
        ------
        ValueMissing
            Where they are not.
        """
        try:
            record = memoized_call(self._callback, caller, context).result.fresh()
        except NotKept as error:
            raise ValueMissing("An argument is gone.") from error
        self._note_hit()
        if server_timing.is_on:
            server_timing.note("hit")
        return record.outputs

    async def outputs_async(self, caller: Caller, context: Any) -> Any:
        """Do as :meth:`outputs`, for a coroutine function."""
        call = await beside_loop(memoized_call, self._callback, caller, context)
        result = call.result
        record = await beside_loop(self._counted, result)
        if record is None:
            record = await fly_async(result.flight_key, result.fresh, call.compute_async, beside=beside_loop)
        elif result.is_stale(record):
            key = result.flight_key
            # The event loop of a callback ends with it.
            renewals.in_background(key, lambda: asyncio.run(fly_async(key, result.fresh, call.compute_async)))
        return record.outputs

    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Forget the results for these arguments: those of the app, and of the caller's session.

        For a value of a ServerStore pass its :class:`~dash_brain.Token`.

        Raises
        ------
        BadToken
            For a token that is not valid in the caller's session.
        """
        indices, key = self._callback.inputs.indices, self._callback.memoize.key
        given = args[0] if len(args) == 1 and isinstance(indices, int) else kwargs or args
        known = (
            list(map(_as_given, in_declared_order(indices, given))) if key is None else key(*args, **kwargs)
        )
        self._forget(fingerprints.of_value(known))

    def forget_all(self) -> None:
        """Forget all results: those of the app, and of the caller's session."""
        self._forget(None)

    def info(self) -> MemoInfo:
        """Return hits, misses and size."""
        store = current.use().store
        sizes = [records.nbytes(store, *found) for found in self._kept()]
        return MemoInfo(self._hits, self._misses, len(sizes), sum(sizes))

    def _counted(self, result: MemoizedResult) -> Record | None:
        """Return the record that can be used at once, and count the hit or miss."""
        record = result.known()
        if record is not None and current_job() is not None and result.is_stale(record):
            record = None  # a job's process ends with the job, and a thread in the background with it
        if record is None:
            self._misses += 1
        else:
            self._note_hit()
        if server_timing.is_on:
            server_timing.note("miss" if record is None else "hit")
        return record

    def _note_hit(self) -> None:
        self._hits += 1
        current.use().store.counters.note_hit()

    def _forget(self, identity: str | None) -> None:
        for namespace, short, record in list(self._kept()):
            if identity is None or record.identity == identity:
                records.forget(current.use().store, namespace, short, record)

    def _kept(self) -> Iterator[tuple[str, str, Record]]:
        for scope in records.SCOPES.values():
            namespace = current_caller().namespaces.get(scope)
            if namespace is not None:
                for short, record in records.of_callback(current.use().store, namespace, self._callback.name):
                    yield namespace, short, record


def _as_given(value: Any) -> Any:
    """Return an argument, or the :class:`ArgumentRef` of a token."""
    if isinstance(value, list):
        return list(map(_as_given, value))
    if isinstance(value, Token):
        return ArgumentRef(*verify(current.use().keys, current_caller().namespaces, value))
    return value
