"""What a background job is sent with: who asked for it, and what its process cannot know by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from dash_brain.web.dash_internals import ERRAND, context_value


class Errand(NamedTuple):
    """What one job is told. It travels in the job's context, which may be JSON."""

    #: Who asked.
    app_id: str
    session: str | None
    #: The job's own key, under which it holds its inputs.
    key: str
    #: Ids of inputs, outputs and progress that are ServerStores.
    server_stores: list[str]
    #: The process that sent it.
    sender: int


_running: ContextVar[Errand | None] = ContextVar("dash_brain_errand", default=None)


def errand() -> Errand | None:
    """Return what the job that runs here was sent with, None when none does."""
    context = context_value.get({})
    return Errand(*context[ERRAND]) if ERRAND in context else _running.get()


@contextmanager
def under_way(errand: Errand) -> Iterator[None]:
    """Let it be known while the block runs, also to what sees nothing of the callback."""
    token = _running.set(errand)
    try:
        yield
    finally:
        _running.reset(token)


def send(context: Any, errand: Errand) -> None:
    """Put what a job has to know into the context that it will have."""
    context[ERRAND] = list(errand)
