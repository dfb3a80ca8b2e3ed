"""Session ids, and the names that are derived from them.

The namespace of a session is derived from its id with a key, the identity of the app, and the user who is
logged in. So the id alone gives access to nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import dash

from dash_brain.common.signing import Key, KeyRing
from dash_brain.settings import Settings

#: The header of claims: scripts of other sites cannot send it.
HEADER = "X-Dash-Brain"

#: How a browser keeps a session id: in a cookie, or with one page.
COOKIE, PAGE = "session", "page"


_SESSION_ID_BYTES = 32


class SessionId(NamedTuple):
    """The secret of one session, with the key that names are derived with, and how the browser keeps it."""

    key: Key
    secret: str
    kind: str = COOKIE

    def session(self, app_id: str, principal: str | int | None = None) -> str:
        """Return the name of the session in the store, for an app and the user who is logged in.

        Without a user it is another name than for the user ``""``, and ``1`` is not ``"1"``.
        """
        who = () if principal is None else (f"{type(principal).__name__}:{principal}",)
        return self.key.mac(f"{self.kind} namespace", app_id, self.secret, *who).hex()[:32]

    @property
    def closed_name(self) -> str:
        """The name of the note that the session was closed."""
        return self.key.mac(f"closed {self.kind}", self.secret).hex()[:32]


def new_session_id(keys: KeyRing) -> SessionId:
    """Return a new random session id."""
    return SessionId(keys.newest, secrets.token_urlsafe(_SESSION_ID_BYTES))


def app_identity(settings: Settings, app: dash.Dash | None) -> str:
    """Return the app id as 32 hex digits: as configured, else from the app's name, file and path prefix."""
    if settings.app_id is not None or app is None:
        return _as_id(settings.app_id or "")
    known = _of_apps.get(app)
    if known is None:
        # Many projects have a module "app": their files differ.
        file = getattr(sys.modules.get(app.config.name), "__file__", "")
        known = _as_id(f"{app.config.name}\0{file}\0{app.config.requests_pathname_prefix}")
        _of_apps[app] = known
    return known


_of_apps: WeakKeyDictionary[dash.Dash, str] = WeakKeyDictionary()


def _as_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def checked_principal(who: Any) -> str | int | None:
    """Return the result of ``principal=`` as a plain type.

    Raises
    ------
    TypeError
        For everything but a str, an int, and None. A bool is refused: it would be one identity for all users.
    """
    if who is None:
        return None
    if isinstance(who, str):
        return str(who)
    if isinstance(who, int) and not isinstance(who, bool):
        return int(who)
    raise TypeError(
        f"principal= returned a {type(who).__name__}; it returns what tells one user from another, as a str "
        "or an int (str(user.id)), or None when nobody is logged in."
    )
