"""A session without a browser, for code of a test that runs outside of any request."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from dash_brain.settings import current
from dash_brain.web.apps import latest_app
from dash_brain.web.sessions.job_context import JobContext, running_job
from dash_brain.web.sessions.session_ids import app_identity
from dash_brain.web.sessions.session_registry import session_registry


@contextmanager
def new_session() -> Iterator[None]:
    """Begin a session, and make it that of the caller while the block runs, as in a background job of it."""
    settings, session = current.use(), secrets.token_hex(16)
    app_id = app_identity(settings, latest_app())
    session_registry(settings, app_id).note_use(session, session)
    with running_job(JobContext(app_id, session, secrets.token_hex(16), [], os.getpid())):
        yield
