"""What a background job is sent with: who asked for it, and what its process cannot know by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

from dash_brain.internals import ERRAND, callback_context


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


def errand() -> Errand | None:
    """Return what the job that runs here was sent with, None when none does."""
    context = callback_context()
    return None if context is None or ERRAND not in context else Errand(*context[ERRAND])


def send(context: Any, errand: Errand) -> None:
    """Put what a job has to know into the context that it will have."""
    context[ERRAND] = list(errand)
