"""Who asks: the session of the browser, and all that belongs to sessions."""

from dash_brain.sessions import nobody  # noqa: F401 - it guards what is made for all from here on
from dash_brain.sessions.visits import (
    CLAIM_ROUTE,
    Visit,
    close_session,
    is_shown_by_page,
    keep,
    somebody_asks,
    visit,
)

__all__ = [
    "CLAIM_ROUTE",
    "Visit",
    "close_session",
    "is_shown_by_page",
    "keep",
    "somebody_asks",
    "visit",
]
