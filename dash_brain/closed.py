"""Sessions that were closed: their ids never work again, for nobody.

That a session id was closed is noted in the store, for all workers and all apps that the cookie is sent
to. The note stays as long as any browser may still have the cookie.
"""

from __future__ import annotations

from dash_brain.errors import ValueMissing
from dash_brain.session_ids import SessionId
from dash_brain.settings import Settings

_NAMESPACE = "closed/sessions"


def note_closed(settings: Settings, session_id: SessionId) -> None:
    """Let the session id work no more, in any worker, from its next request on."""
    # A browser was told last before now to keep the cookie for session_ttl.
    settings.store.put(_NAMESPACE, session_id.closed_name, [b""], ttl=settings.session_ttl)


def is_closed(settings: Settings, session_id: SessionId) -> bool:
    """Say whether the session was closed.

    Asked once in each request, and not remembered in the process: another worker may close the session
    at any moment. In shared memory the answer takes about 20 microseconds: a file that is not there.
    """
    try:
        settings.store.info(_NAMESPACE, session_id.closed_name)
    except ValueMissing:
        return False
    return True
