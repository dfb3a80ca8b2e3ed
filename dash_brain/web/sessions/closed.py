"""Sessions that were closed: their ids never work again, for nobody.

That a session id was closed is noted in the store, for all workers and all apps that the cookie is sent
to. The note stays as long as any browser may still have the cookie.
"""

from __future__ import annotations

from contextlib import suppress

from dash_brain.common.throttle import Throttle
from dash_brain.errors import ValueMissing
from dash_brain.settings import Settings
from dash_brain.stores.base import needs_scan
from dash_brain.web.sessions.ids import SessionId

_NAMESPACE = "closed/sessions"

#: So many notes are kept for each session that an app may have; then the oldest go. A note takes a page of
#: memory, and whoever asks for pages and logouts in turn can have it made as often as he likes.
_PER_SESSION = 2

_looked = Throttle(1.0)


def note_closed(settings: Settings, session_id: SessionId) -> None:
    """Let the session id work no more, in any worker, from its next request on."""
    # A browser was told last before now to keep the cookie for session_ttl.
    settings.store.put(_NAMESPACE, session_id.closed_name, [b""], ttl=settings.session_ttl)
    _bound(settings)


def _bound(settings: Settings) -> None:
    if settings in _looked:
        return
    _looked.note(settings)
    most = _PER_SESSION * settings.max_sessions
    notes = list(needs_scan(settings.store).scan(_NAMESPACE))
    if len(notes) > most:
        # A few more than needed, so that not every closing has to look at all others.
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

    Asked once in each request, and not remembered in the process: another worker may close the session
    at any moment. In shared memory the answer takes about 10 microseconds: a file that is not there.
    """
    return settings.store.exists(_NAMESPACE, session_id.closed_name)
