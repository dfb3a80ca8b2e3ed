"""Background callbacks in the process that runs the job."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from itertools import chain
from typing import Any

from dash import Output

from dash_brain.errors import NoSession, StoreError
from dash_brain.settings import current
from dash_brain.web.component_ids import canonical
from dash_brain.web.component_registry import registry_of
from dash_brain.web.dash_internals import JOB_CONTEXT, callback_context
from dash_brain.web.dependencies import listed
from dash_brain.web.jobs.side_updates import SideUpdates
from dash_brain.web.leases.jobs import JobClaims
from dash_brain.web.outgoing import Outgoing
from dash_brain.web.sessions import Caller, current_caller
from dash_brain.web.sessions.job_context import JobContext, running_job
from dash_brain.web.tokens import Token, verify


def in_job(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what exchanges the values of a job while it calls a function, and only calls it elsewhere."""
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            with _running(callback_context()):
                return await function(*args, **kwargs)

        return by_reference(call_async)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with _running(callback_context()):
            return function(*args, **kwargs)

    return by_reference(call)


def by_reference(wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """Have a wrapper name the module that it is written in, not that of what it wraps.

    Where processes are not forked, dill sends a job's functions to them. It looks for the globals of a
    function in the module of this name; if they are not those there, it sends copies of all of them along.
    """
    wrapper.__module__ = wrapper.__globals__["__name__"]
    return wrapper


@contextmanager
def _running(context: Any) -> Iterator[None]:
    """Exchange values and tokens of a job as in a request, while its function runs."""
    if context is None or JOB_CONTEXT not in context:
        yield
        return
    job = JobContext(*context[JOB_CONTEXT])
    if job.session is not None:  # a job without a session has no ServerStore: Dash's own way is kept
        context.updated_props = _UpdatedProps(current_caller(), context, job.key)
    registry_of(current_caller()).assume(job.server_stores, list(_named(context)))
    try:
        with running_job(job):
            yield
    finally:
        with suppress(StoreError, NoSession):  # the claim expires
            if job.session is not None:
                JobClaims(current_caller()).end(job.key)


def _named(context: Any) -> Iterator[str]:
    """Yield the ids of inputs and outputs; those that the job context does not list are no ServerStores."""
    places = (*context["inputs_list"], *context["states_list"], *listed(context["outputs_list"]))
    for leaf in chain.from_iterable(map(listed, places)):
        yield canonical(leaf["id"])


def set_progress_of(
    set_progress: Callable[[Any], None], outputs: Sequence[Output], context: Any
) -> Callable[[Any], None]:
    """Return a ``set_progress`` that stores values for ServerStores and passes their tokens to Dash's."""
    caller = current_caller()  # it may be called in another thread
    before: dict[int, Any] = {}
    registry_of(caller).assume([], [canonical(output.component_id) for output in outputs])

    def set_values(progress: Any) -> None:
        values = progress if isinstance(progress, (list, tuple)) else [progress]
        outgoing = Outgoing(caller, context)
        sent = [outgoing.declared(*one) for one in zip(values, outputs, strict=False)]
        set_progress(sent)
        for number, value in enumerate(sent):
            _supersede(caller, before.get(number), value)
            before[number] = value

    return set_values


def _supersede(caller: Caller, before: Any, now: Any) -> None:
    """Release a value of an earlier progress, which no page will get any more."""
    if isinstance(before, Token) and before != now:
        found = verify(current.use().keys, caller.namespaces, before)
        if found.namespace == caller.namespaces.get("session"):
            with suppress(StoreError):
                JobClaims(caller).supersede(found.object_id)


class _UpdatedProps(dict[str, dict[str, Any]]):
    """Takes what a job sets by ``set_props``, and passes it to the page with tokens in place of values."""

    def __init__(self, caller: Caller, context: Any, key: str) -> None:
        super().__init__()
        self._caller = caller
        self._context = context
        self._waiting = SideUpdates(caller, key)

    def __setitem__(self, component_id: str, props: dict[str, Any]) -> None:
        self._waiting.add(component_id, Outgoing(self._caller, self._context).props(component_id, props))
