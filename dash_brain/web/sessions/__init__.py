"""The caller: the session of the browser, and all that belongs to sessions."""

from dash_brain.web.sessions import guard  # noqa: F401 - hides the caller from shared results from here on
from dash_brain.web.sessions.caller import (
    Caller,
    close_session,
    current_caller,
    has_caller,
    has_ended,
    is_sent_to_page,
    is_session_per_page,
    is_user_without_session,
    send_session,
    session_began,
    user_tag,
)

__all__ = [
    "Caller",
    "close_session",
    "current_caller",
    "has_caller",
    "has_ended",
    "is_sent_to_page",
    "is_session_per_page",
    "is_user_without_session",
    "send_session",
    "session_began",
    "user_tag",
]
