"""The context of a background job: its caller, and what the process of the job cannot look up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from dash_brain.web.dash_internals import JOB_CONTEXT, context_value


class JobContext(NamedTuple):
    """The context of one job: a part of the callback context that Dash passes to it, perhaps as JSON."""

    #: The app, and the session that started the job.
    app_id: str
    session: str | None
    #: The job's own key, under which it claims its inputs.
    key: str
    #: Ids of inputs, outputs and progress that are ServerStores.
    server_stores: list[str]
    #: Process id of the worker that started it.
    sender: int


_running: ContextVar[JobContext | None] = ContextVar("dash_brain_job", default=None)


def current_job() -> JobContext | None:
    """Return the context of the job that runs here, None when none does."""
    context = context_value.get({})
    return JobContext(*context[JOB_CONTEXT]) if JOB_CONTEXT in context else _running.get()


@contextmanager
def running_job(job: JobContext) -> Iterator[None]:
    """Make a job the current one while the block runs, also where the callback context is not known."""
    token = _running.set(job)
    try:
        yield
    finally:
        _running.reset(token)


def attach(context: Any, job: JobContext) -> None:
    """Add what a job has to know to the callback context that Dash passes to it."""
    context[JOB_CONTEXT] = list(job)
