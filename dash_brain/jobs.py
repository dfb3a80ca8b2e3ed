"""Callbacks in the background: their values stay on the server too.

A job runs in another process, perhaps much later, and no browser asks there. So it takes along who asked
for it, and holds its inputs until it ends, as a page does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import flask
from dash import Output
from dash.dependencies import DashDependency
from dash.exceptions import MissingLongCallbackManagerError

from dash_brain.errors import BadToken, ValueMissing
from dash_brain.exchange import resolve, verified
from dash_brain.holders import Holders, Turn
from dash_brain.incoming import server_stores
from dash_brain.internals import app_background_manager, callback_context
from dash_brain.outgoing import Outgoing
from dash_brain.sessions import IN_JOB, in_job, visit
from dash_brain.tokens import Verified

#: What a job says of its inputs: first that it will need them, then how it is called, then that it ended.
_WANTED, _STARTED, _ENDED = range(3)


class Jobs:
    """What Dash takes for the background callback manager of one callback: hands all on to the real one.

    Parameters
    ----------
    manager
        The callback's own manager; None: its app's.
    dependencies
        The declared inputs and states.
    refuse
        Called with ``BadToken`` or ``ValueMissing`` of an input, while the browser asks; it may raise, or
        leave it to the job.
    """

    def __init__(
        self, manager: Any, dependencies: list[DashDependency], refuse: Callable[[Exception], None]
    ) -> None:
        self._own = manager
        self._dependencies = dependencies
        self._refuse = refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # a copy that is being unpickled has no manager yet
            raise AttributeError(name)
        return getattr(self._manager(), name)

    def build_cache_key(self, *args: Any) -> str:
        """Return a key that no other job has.

        Dash makes it from the arguments alone, so that two sessions, or two tabs, would get each other's
        results. To keep results is what ``memoize=`` is for, which knows of sessions.
        """
        return secrets.token_hex(32)

    def get_result(self, key: str, job: Any) -> Any:
        """Return a job's result, and keep no copy: what is large in it is a token, and lives by claims."""
        manager = self._manager()
        result = manager.get_result(key, job)
        if result is manager.UNDEFINED and not self.job_running(job):
            result = manager.get_result(key, job)  # it has ended since we looked
        if result is not manager.UNDEFINED and manager.cache_by is not None:
            manager.clear_cache_entry(key)
        return result

    def call_job_fn(self, key: str, job_fn: Any, args: Any, context: Any) -> Any:
        """Start a job that holds its inputs, for who asks now.

        Raises
        ------
        NoSession
            When the browser showed no session.
        """
        holder = secrets.token_hex(16)
        inputs = self._inputs(context)
        kinds = dict.fromkeys(inputs, "memory")
        living = Holders(visit()).hold(Turn(holder, _WANTED, "open"), kinds, set()) or set()
        try:
            self._refuse_all(inputs[gone] for gone in inputs.keys() - living)
            context[IN_JOB] = [*visit(), holder]
            job = self._manager().call_job_fn(key, job_fn, args, context)
        except BaseException:
            _end(holder)
            raise
        # Not heard if it has ended already.
        Holders(visit()).hold(Turn(holder, _STARTED, "open", str(job)), kinds, set())
        return job

    def job_running(self, job: Any) -> Any:
        """Say whether a job runs or waits to; as long as a page asks that, the job's inputs live on.

        A request has one answer. Dash looks for the result first and then asks this: a job that ended in
        between would seem to have ended without one.
        """
        answers = flask.g.setdefault("dash_brain_running", {})
        if job not in answers:
            answers[job] = self._manager().job_running(job)
            _tell_holder(job, answers[job])
        return answers[job]

    def terminate_job(self, job: Any) -> None:
        """End a job."""
        self._manager().terminate_job(job)
        _tell_holder(job, running=False)

    def _manager(self) -> Any:
        manager = self._own or app_background_manager()
        if manager is None:
            raise MissingLongCallbackManagerError(
                "A background callback needs a manager: Dash(background_callback_manager=...), or the "
                "callback's manager=. DiskcacheManager needs dash[diskcache], CeleryManager dash[celery]."
            )
        return manager

    def _inputs(self, context: Any) -> dict[Verified, Any]:
        """Return where the objects of the job's inputs lie, with their tokens."""
        found = {}
        for leaf in server_stores(context, self._dependencies, visit()).values():
            try:
                found[verified(visit(), leaf["value"])] = leaf["value"]
            except BadToken as error:
                self._refuse(error)
        return found

    def _refuse_all(self, gone: Iterator[Any]) -> None:
        for token in gone:
            try:
                resolve(visit(), token)
            except ValueMissing as error:
                self._refuse(error)


@contextmanager
def working() -> Iterator[None]:
    """Run a callback's function: if that is a job's, its values go and come as those of others do."""
    if not in_job():
        yield
        return
    context = cast(Any, callback_context())
    holder = context[IN_JOB][-1]
    context.updated_props = _SideUpdates(context.updated_props)
    try:
        yield
    finally:
        _end(holder)


def progress_of(set_progress: Callable[[Any], None], outputs: Sequence[Output]) -> Callable[[Any], None]:
    """Return Dash's ``set_progress`` for values, of which those for ServerStores stay on the server."""

    def set_values(progress: Any) -> None:
        values = progress if isinstance(progress, (list, tuple)) else [progress]
        outgoing = Outgoing(visit())
        set_progress(
            [
                outgoing.props(output.component_id, {output.component_property: value})[
                    output.component_property
                ]
                for value, output in zip(values, outputs, strict=True)
            ]
        )

    return set_values


class _SideUpdates(dict[str, dict[str, Any]]):
    """What a job sets by ``set_props``, which Dash sends as soon as it is set: tokens in place of values."""

    def __init__(self, sent: dict[str, dict[str, Any]]) -> None:
        super().__init__()
        self._sent = sent

    def __setitem__(self, component_id: str, props: dict[str, Any]) -> None:
        self._sent[component_id] = Outgoing(visit()).props(component_id, props)

    def get(self, component_id: str, default: Any = None) -> Any:
        return self._sent.get(component_id, default)


def _tell_holder(job: Any, running: bool) -> None:
    """Have the inputs of a job of this session live on, or let go of them."""
    holder = None if visit().session is None else Holders(visit()).of_job(str(job))
    if holder is not None and running:
        Holders(visit()).renew(holder)
    elif holder is not None:
        _end(holder)


def _end(holder: str) -> None:
    Holders(visit()).hold(Turn(holder, _ENDED, "gone"), {}, set())
