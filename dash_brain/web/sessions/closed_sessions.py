"""Closed sessions: their ids never work again, for any user.

A note in the store says that a session id was closed, for all workers and all apps that get the cookie. It
stays as long as a browser may still have the cookie.
"""

from __future__ import annotations

from contextlib import suppress

from dash_brain.common.throttle import Throttle
from dash_brain.errors import ValueMissing
from dash_brain.settings import Settings
from dash_brain.stores.base import Place, needs_scan
from dash_brain.web.sessions.session_ids import SessionId

_NAMESPACE = "closed/sessions"

#: Notes that are kept for each of the ``max_sessions``; then the oldest are deleted. A note takes a page of
#: memory, and a client can make as many as it likes, by requests for pages and logouts in turn.
_PER_SESSION = 2

_looked = Throttle(1.0)


def note_closed(settings: Settings, session_id: SessionId) -> None:
    """Note that the session id is closed, for every worker from the next request on."""
    # A browser keeps the cookie for session_ttl from now at most.
    settings.store.put(_NAMESPACE, session_id.closed_name, [b""], ttl=settings.session_ttl)
    _bound(settings)


def _bound(settings: Settings) -> None:
    if settings in _looked:
        return
    _looked.note(settings)
    most = _PER_SESSION * settings.max_sessions
    notes = list(needs_scan(settings.store).scan(_NAMESPACE))
    if len(notes) > most:
        # A few more than needed, so that not every note has to sort all others.
        for name in sorted(notes, key=lambda name: _expires(settings, name))[
            : len(notes) - most + most // 50
        ]:
            settings.store.delete(_NAMESPACE, name)


def _expires(settings: Settings, name: str) -> float:
    with suppress(ValueMissing):
        return settings.store.info(_NAMESPACE, name).expires or 0.0
    return 0.0


def is_closed(settings: Settings, session_id: SessionId) -> bool:
    """Say whether the session was closed.

    Asked in each request and not cached, because another worker may close the session at any moment. In
    shared memory this is one ``stat`` of a file that is not there.
    """
    return settings.store.exists(_NAMESPACE, session_id.closed_name)


def closed_note(session_id: SessionId) -> Place:
    """Return where the note lies that the session was closed."""
    return _NAMESPACE, session_id.closed_name
