"""A memoized callback: one that gives what is there for its arguments, and computes only what is not.

A hit decodes and copies none of the large values: it mints tokens for the objects that are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ParamSpec, Protocol, TypeVar

from dash_brain.memo import fingerprints
from dash_brain.memo.functions import MemoInfo
from dash_brain.memo.renewals import in_background
from dash_brain.settings import current
from dash_brain.singleflight import fly, fly_async, is_under_way
from dash_brain.web.jobs.errands import errand
from dash_brain.web.memo import declared, records
from dash_brain.web.memo.call import MemoizedCall
from dash_brain.web.memo.declared import Declared, by_index
from dash_brain.web.memo.records import Given, Record
from dash_brain.web.memo.result import MemoizedResult
from dash_brain.web.sessions import Visit, visit
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
        """Forget all results: those of the app, and of the session that asks."""

    def info(self) -> MemoInfo:
        """Return what is known of hits, misses and results."""


class MemoizedCallback:
    """The results of one declared callback."""

    def __init__(self, callback: Declared) -> None:
        self._callback = callback
        self._hits = self._misses = 0
        declared.remember(callback)

    def outputs(self, asking: Visit, context: Any) -> Any:
        """Return the results for the arguments in the context, with :class:`Held` for large values.

        Raises
        ------
        NotKept
            When an argument is gone.
        """
        call = MemoizedCall(self._callback, asking, context)
        result = call.result
        record = self._counted(result)
        if record is None:
            record = fly(result.goal, result.fresh, call.compute)
        elif result.is_stale(record) and not is_under_way(result.goal):
            in_background(lambda: fly(result.goal, result.fresh, call.compute))
        return record.outputs

    async def outputs_async(self, asking: Visit, context: Any) -> Any:
        """Do as :meth:`outputs`, for a coroutine function."""
        call = MemoizedCall(self._callback, asking, context)
        result = call.result
        record = self._counted(result)
        if record is None:
            record = await fly_async(result.goal, result.fresh, call.compute_async)
        elif result.is_stale(record) and not is_under_way(result.goal):
            # The loop of a callback ends with it.
            in_background(lambda: asyncio.run(fly_async(result.goal, result.fresh, call.compute_async)))
        return record.outputs

    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Forget the results for these arguments: those of the app, and of the session that asks.

        A value of a ServerStore counts as the object that it is: give its :class:`~dash_brain.Token` in its
        place.

        Raises
        ------
        BadToken
            For a token that is none of the session that asks.
        """
        indices, key = self._callback.inputs.indices, self._callback.memoize.key
        given = args[0] if len(args) == 1 and isinstance(indices, int) else kwargs or args
        known = list(map(_as_given, by_index(indices, given))) if key is None else key(*args, **kwargs)
        self._forget(fingerprints.of_value(known))

    def forget_all(self) -> None:
        """Forget all results: those of the app, and of the session that asks."""
        self._forget(None)

    def info(self) -> MemoInfo:
        """Return what is known of hits, misses and results."""
        store = current.use().store
        sizes = [records.nbytes(store, *found) for found in self._kept()]
        return MemoInfo(self._hits, self._misses, len(sizes), sum(sizes))

    def _counted(self, result: MemoizedResult) -> Record | None:
        """Return the record that can be given out at once, and count the hit or miss."""
        record = result.known()
        if record is not None and errand() is not None and result.is_stale(record):
            record = None  # a job's process ends with it, and so would a renewal in the background
        if record is None:
            self._misses += 1
        else:
            self._hits += 1
        return record

    def _forget(self, identity: str | None) -> None:
        for namespace, short, record in list(self._kept()):
            if identity is None or record.identity == identity:
                records.forget(current.use().store, namespace, short, record)

    def _kept(self) -> Iterator[tuple[str, str, Record]]:
        for scope in records.SCOPES.values():
            namespace = visit().namespaces.get(scope)
            if namespace is not None:
                for short, record in records.of_callback(current.use().store, namespace, self._callback.name):
                    yield namespace, short, record


def _as_given(value: Any) -> Any:
    """Return an argument as it is known: a token as the object that it stands for."""
    if isinstance(value, list):
        return list(map(_as_given, value))
    if isinstance(value, Token):
        return Given(*verify(current.use().keys, visit().namespaces, value))
    return value
