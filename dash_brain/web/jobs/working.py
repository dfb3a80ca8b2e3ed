"""Callbacks in the background, seen from the process in which a job runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any

from dash import Output

from dash_brain.errors import NoSession, StoreError
from dash_brain.settings import current
from dash_brain.web.dash_internals import ERRAND
from dash_brain.web.exchange import registry
from dash_brain.web.ids import canonical
from dash_brain.web.jobs.errands import Errand, under_way
from dash_brain.web.jobs.side_updates import SideUpdates
from dash_brain.web.leases.jobs import JobClaims
from dash_brain.web.outgoing import Outgoing
from dash_brain.web.patterns import listed
from dash_brain.web.sessions import Visit, visit
from dash_brain.web.tokens import Token, verify


@contextmanager
def working(context: Any) -> Iterator[None]:
    """Have the values of a job go and come as those of others do, while its function runs."""
    job = Errand(*context[ERRAND])
    if job.session is not None:  # else no ServerStore is concerned, and it stays as Dash does it
        context.updated_props = _UpdatedProps(visit(), job.key)
    registry(visit()).assume(job.server_stores, list(_named(context)))
    try:
        with under_way(job):
            yield
    finally:
        with suppress(StoreError, NoSession):  # its ttl sees to it then
            if job.session is not None:
                JobClaims(visit()).end(job.key)


def _named(context: Any) -> Iterator[str]:
    """Yield the ids whose data a job gets or returns; those that it was not told of are no ServerStores'."""
    places = (*context.inputs_list, *context.states_list, *listed(context.outputs_list))
    for leaf in chain.from_iterable(map(listed, places)):
        yield canonical(leaf["id"])


def progress_of(set_progress: Callable[[Any], None], outputs: Sequence[Output]) -> Callable[[Any], None]:
    """Return Dash's ``set_progress`` for values, of which those for ServerStores stay on the server."""
    asking = visit()  # it may be called in another thread
    before: dict[int, Any] = {}
    registry(asking).assume([], [canonical(output.component_id) for output in outputs])

    def set_values(progress: Any) -> None:
        values = progress if isinstance(progress, (list, tuple)) else [progress]
        outgoing = Outgoing(asking)
        sent = [outgoing.declared(*one) for one in zip(values, outputs, strict=False)]
        set_progress(sent)
        for number, value in enumerate(sent):
            _supersede(asking, before.get(number), value)
            before[number] = value

    return set_values


def _supersede(asking: Visit, before: Any, now: Any) -> None:
    """Let go of a value that no page may ever have seen, and that none will see any more."""
    if isinstance(before, Token) and before != now:
        found = verify(current.use().keys, asking.namespaces, before)
        if found.namespace == asking.namespaces.get("session"):
            with suppress(StoreError):
                JobClaims(asking).supersede(found.object_id)


class _UpdatedProps(dict[str, dict[str, Any]]):
    """Where Dash puts what a job sets by ``set_props``; tokens go on to the page in place of values."""

    def __init__(self, asking: Visit, key: str) -> None:
        super().__init__()
        self._asking = asking
        self._waiting = SideUpdates(asking, key)

    def __setitem__(self, component_id: str, props: dict[str, Any]) -> None:
        self._waiting.add(component_id, Outgoing(self._asking).props(component_id, props))
