"""Who asks: the session of the browser, and all that belongs to sessions."""

from dash_brain.web.sessions import nobody  # noqa: F401 - it guards what is made for all from here on
from dash_brain.web.sessions.visits import (
    Visit,
    began,
    close_session,
    is_shown_by_page,
    is_somebody_without_session,
    keep,
    somebody_asks,
    user_name,
    visit,
)

__all__ = [
    "Visit",
    "began",
    "close_session",
    "is_shown_by_page",
    "is_somebody_without_session",
    "keep",
    "somebody_asks",
    "user_name",
    "visit",
]
