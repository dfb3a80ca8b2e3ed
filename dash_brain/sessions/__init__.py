"""Who asks: the session of the browser, and all that belongs to sessions."""

from dash_brain.sessions.asking import began
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
    "began",
    "close_session",
    "is_shown_by_page",
    "keep",
    "somebody_asks",
    "visit",
]
