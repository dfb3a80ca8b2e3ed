"""A memoized callback: one that gives what is there for its arguments, and computes only what is not.

A hit decodes and copies none of the large values: it mints tokens for the objects that are there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from dash_brain import codec, fingerprints, recipes, tokens
from dash_brain.errors import BadToken, BrainError, StoreError, ValueMissing
from dash_brain.exchange import LEASE, resolve_verified
from dash_brain.flights import fly, fly_async, is_under_way
from dash_brain.incoming import resolve_arguments, server_stores
from dash_brain.internals import flatten_grouping
from dash_brain.memoize import Lifetime, MemoInfo, in_background, lifetime
from dash_brain.outgoing import Outgoing, server_store_outputs
from dash_brain.recipes import Callback, Given, Held, Record
from dash_brain.sessions import Visit, visit
from dash_brain.settings import current
from dash_brain.stores.base import new_object_id

Scope: TypeAlias = Literal["app", "session"]


@dataclass(frozen=True)
class Memoize:
    """How the results of a callback are kept by its arguments.

    Parameters
    ----------
    scope
        Who shares them: ``"app"``, all sessions of the app; ``"session"``, the one that asks. Results for
        a value of the session among the arguments are the session's in any case.
    ttl
        Seconds for which a result is fresh; None: until memory is short, or the session ends.
    stale
        Seconds for which an older result is given out at once, while one call renews it.
    key
        Called with the arguments; what it returns stands for them, and for what the function closes over.

    Raises
    ------
    ValueError
        For another scope, or seconds that make no sense.

    Examples
    --------
    >>> from dash import Input, Output
    >>> from dash_brain import Memoize, brain_callback
    >>> @brain_callback(Output("prices", "data"), Input("day", "value"), memoize=Memoize("app", ttl=60))
    ... def prices(day):
    ...     return {"day": day}
    """

    scope: Scope
    ttl: float | None = None
    stale: float | None = None
    key: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.scope not in recipes.SCOPES:
            raise ValueError(f'memoize takes the scope "app" or "session", and not {self.scope!r}.')
        lifetime(self.ttl, self.stale)


class NotKept(BrainError):
    """An argument is gone; what is computed in its place is kept for nobody."""


class MemoizedCallback:
    """The results of one declared callback.

    Parameters
    ----------
    function
        What the user wrote.
    memoize
        How its results are kept.
    schema, dependencies, indices
        The declared outputs; inputs and states; and the grouping of these as arguments.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        memoize: Memoize,
        schema: Any,
        dependencies: list[Any],
        indices: Any,
    ) -> None:
        self.function = function
        self.memoize = memoize
        self.schema = schema
        self.dependencies = dependencies
        self.indices = indices
        self.lifetime = Lifetime(memoize.ttl, memoize.stale)
        self.hits = self.misses = 0
        module, name = function.__module__, getattr(function, "__qualname__", "callback")
        self.name = f"{module}.{name} {schema!r}"
        recipes.remember(self.name, Callback(function, self.fingerprint, schema, indices))

    def fingerprint(self) -> str:
        """Return the fingerprint of the function as it is now."""
        if self.memoize.key is None and fingerprints.changes(self.function):
            return fingerprints.of_function(self.function)
        return self._lasting

    @cached_property
    def _lasting(self) -> str:
        return fingerprints.of_function(self.function, closure=self.memoize.key is None)

    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Forget the results for these arguments: those of the app, and of the session that asks.

        Values of ServerStores are told from one another by their tokens; forget those with ``forget_all``.
        """
        key = self.memoize.key
        given = args[0] if len(args) == 1 and isinstance(self.indices, int) else kwargs or args
        wanted = self._by_index(given) if key is None else key(*args, **kwargs)
        self._forget(fingerprints.of_value(wanted))

    def forget_all(self) -> None:
        """Forget all results: those of the app, and of the session that asks."""
        self._forget(None)

    def info(self) -> MemoInfo:
        """Return what is known of hits, misses and results."""
        store = current.use().store
        sizes = [recipes.nbytes(store, *found) for found in self._kept()]
        return MemoInfo(self.hits, self.misses, len(sizes), sum(sizes))

    def _forget(self, identity: str | None) -> None:
        for namespace, short, record in list(self._kept()):
            if identity is None or record.identity == identity:
                recipes.forget(current.use().store, namespace, short, record)

    def _kept(self) -> Iterator[tuple[str, str, Record]]:
        for scope in recipes.SCOPES.values():
            namespace = visit().namespaces.get(scope)
            if namespace is not None:
                for short, record in recipes.records(current.use().store, namespace, self.name):
                    yield namespace, short, record

    def _by_index(self, given: Any) -> list[Any]:
        """Return arguments in the order of the declared inputs and states."""
        if isinstance(self.indices, int):
            return [given]
        indices = flatten_grouping(self.indices)
        values = flatten_grouping(given, self.indices)
        return [value for _, value in sorted(zip(indices, values, strict=True), key=itemgetter(0))]

    def outputs(self, asking: Visit, context: Any) -> Any:
        """Return the results for the arguments in the context, with :class:`Held` for large values.

        Raises
        ------
        NotKept
            When an argument is gone.
        """
        call = _Call(self, asking, context)
        record = self._counted(call.known())
        if record is None:
            record = fly(call.goal, call.fresh, call.compute)
        elif call.is_stale(record) and not is_under_way(call.goal):
            in_background(lambda: fly(call.goal, call.fresh, call.compute))
        return record.outputs

    async def outputs_async(self, asking: Visit, context: Any) -> Any:
        """Do as :meth:`outputs`, for a coroutine function."""
        call = _Call(self, asking, context)
        record = self._counted(call.known())
        if record is None:
            record = await fly_async(call.goal, call.fresh, call.compute_async)
        elif call.is_stale(record) and not is_under_way(call.goal):
            # The loop of a callback ends with it.
            in_background(lambda: asyncio.run(fly_async(call.goal, call.fresh, call.compute_async)))
        return record.outputs

    def _counted(self, record: Record | None) -> Record | None:
        if record is None:
            self.misses += 1
        else:
            self.hits += 1
        return record


class _Call:
    """One call: who asks, with which arguments, and what is known of it."""

    def __init__(self, callback: MemoizedCallback, asking: Visit, context: Any) -> None:
        self._callback = callback
        self._visit = asking
        self._context = context
        self._store = current.use().store
        self._given = list(self._what_is_given())
        self._scope = recipes.SCOPES["session" if self._is_personal() else callback.memoize.scope]
        self._namespace = asking.namespace(self._scope)
        self._function = callback.fingerprint()
        shape = (
            repr(callback.schema),
            repr(callback.indices),
            server_store_outputs(context, callback.schema, asking),
        )
        self._of_arguments = fingerprints.of_value(self._identity())
        self._call = fingerprints.of_value((self._function, shape, self._of_arguments))
        self._short = recipes.short_name(self._store, self._call)
        self.goal = recipes.goal_of(self._store, self._namespace, self._short, callback.name)

    def known(self) -> Record | None:
        """Return the record of this call, if all that it tells of is there."""
        record = self._record()
        return record if record is not None and recipes.keep(self._store, self._namespace, record) else None

    def fresh(self) -> Record:
        """Return the record if it need not be renewed; else raise ``ValueMissing``."""
        record = self.known()
        if record is None or self.is_stale(record):
            raise ValueMissing("It is to be computed.")
        return record

    def is_stale(self, record: Record) -> bool:
        """Say whether a result is to be renewed."""
        return self._callback.lifetime.is_stale(record.made)

    def compute(self) -> Record:
        """Call the function, and keep what it returns."""
        args, kwargs = self._arguments()
        return self._keep(self._callback.function(*args, **kwargs))

    async def compute_async(self) -> Record:
        """Call the coroutine function, and keep what it returns."""
        args, kwargs = self._arguments()
        return self._keep(await self._callback.function(*args, **kwargs))

    def _record(self) -> Record | None:
        record = recipes.read(self._store, self._namespace, self._short)
        whole = self._callback.lifetime.whole
        if record is None or record.call != self._call:
            return None
        return record if whole is None or time.time() - record.made <= whole else None

    def _what_is_given(self) -> Iterator[Any]:
        """Yield the value of each input and state, with :class:`Given` for large ones."""
        callback, keys, namespaces = self._callback, current.use().keys, self._visit.namespaces
        stores = server_stores(self._context, callback.dependencies, self._visit)

        def given(leaf: dict[str, Any]) -> Any:
            value = leaf.get("value")
            if value is None or id(leaf) not in stores:
                return value
            try:
                return Given(*tokens.verify(keys, namespaces, value))
            except BadToken as error:
                raise NotKept from error

        for leaf in (*self._context.inputs_list, *self._context.states_list):
            yield list(map(given, leaf)) if isinstance(leaf, list) else given(leaf)

    def _is_personal(self) -> bool:
        """Say whether a value of the session is among the arguments, which no other session has."""
        return any(
            one.namespace.startswith("session")
            for leaf in self._given
            for one in (leaf if isinstance(leaf, list) else [leaf])
            if isinstance(one, Given)
        )

    def _identity(self) -> Any:
        """Return what stands for the arguments."""
        key = self._callback.memoize.key
        if key is None:
            return self._given
        try:
            given = recipes.resolved(self._given, resolve_verified)
        except ValueMissing as error:
            raise NotKept from error
        args, kwargs = recipes.arguments(self._callback.indices, given)
        return key(*args, **kwargs)

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        callback = self._callback
        try:
            values = resolve_arguments(
                self._context, self._visit, callback.dependencies, callback.indices, "raise"
            )
        except (ValueMissing, BadToken) as error:
            raise NotKept from error
        return recipes.as_arguments(callback.indices, values)

    def _keep(self, result: Any) -> Record:
        evicted = self._record()
        if evicted is not None and not self.is_stale(evicted):
            with suppress(ValueMissing):  # pages may hold tokens of what was evicted
                values = recipes.values(self._callback.schema, evicted, result)
                recipes.put_back(self._store, self._namespace, evicted, values)
                return evicted
        return self._keep_anew(result)

    def _keep_anew(self, result: Any) -> Record:
        objects: list[Held] = []

        def put(value: Any) -> Held:
            held = Held(self._scope, self._short + new_object_id()[len(self._short) :])
            frames, meta = codec.encode(value), {"type": codec.type_name(value)}
            quota = current.use().quota
            self._store.put(self._namespace, held.object_id, frames, ttl=self._ttl(), meta=meta, quota=quota)
            objects.append(held)
            return held

        try:
            outgoing = Outgoing(self._visit, put)
            outputs = outgoing.outputs(result, self._context.outputs_list, self._callback.schema)
            record = self._as_record(outputs, objects)
            recipes.write(self._store, self._namespace, self._short, record)
        except BaseException:
            for held in objects:
                with suppress(StoreError):
                    self._store.delete(self._namespace, held.object_id)
            raise
        return record

    def _as_record(self, outputs: Any, objects: list[Held]) -> Record:
        given = codec.encode(self._given)
        # What key= stands for may have come from others, who are gone when the value is needed again.
        known = self._callback.memoize.key is None and sum(map(len, given)) <= recipes.LARGEST_ARGUMENTS
        return Record(
            callback=self._callback.name,
            function=self._function,
            call=self._call,
            identity=self._of_arguments,
            made=time.time(),
            outputs=outputs,
            objects=tuple(objects),
            ttl=self._ttl(),
            arguments=bytes(given[0]) if known else None,
        )

    def _ttl(self) -> float | None:
        """Return how many seconds an unused result lives."""
        whole = self._callback.lifetime.whole
        if whole is not None:
            return max(whole, LEASE)  # pages may hold it when it is not fresh any more
        return None if self._scope == recipes.SCOPES["app"] else current.use().session_ttl
