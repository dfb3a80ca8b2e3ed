"""What a browser shows to say which session it is, and the names that follow from it.

A session id opens nothing by itself: where a session's values lie is derived from it with a key, the
identity of the app, and who is logged in.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any, NamedTuple

import dash

from dash_brain.common.signing import Key
from dash_brain.settings import Settings

#: The header between our script and the server; scripts of other sites cannot send it without our leave.
OURS = "X-Dash-Brain"

#: How a browser keeps a session id: in a cookie, or with one page.
COOKIE, PAGE = "session", "page"


class SessionId(NamedTuple):
    """The secret of one session, with the key that names are derived with, and how the browser keeps it."""

    key: Key
    secret: str
    kind: str = COOKIE

    def session(self, app_id: str, principal: str | int | None = None) -> str:
        """Return the name that the session has in the store, for an app and who is logged in.

        Nobody is logged in: that is another session than that of ``""``, and ``1`` is not ``"1"``.
        """
        who = () if principal is None else (f"{type(principal).__name__}:{principal}",)
        return self.key.mac(f"{self.kind} namespace", app_id, self.secret, *who).hex()[:32]

    @property
    def closed_name(self) -> str:
        """The name under which it is remembered that the session was closed."""
        return self.key.mac(f"closed {self.kind}", self.secret).hex()[:32]


def app_identity(settings: Settings, app: dash.Dash | None) -> str:
    """Return the app id as 32 hex digits: as configured, else from the app's name, file and path prefix."""
    name = settings.app_id
    if name is None and app is not None:
        # Every other project has a module "app"; the files tell them apart.
        file = getattr(sys.modules.get(app.config.name), "__file__", "")
        name = f"{app.config.name}\0{file}\0{app.config.requests_pathname_prefix}"
    return hashlib.sha256((name or "").encode()).hexdigest()[:32]


def checked_principal(who: Any) -> str | int | None:
    """Return who is logged in, as ``principal=`` says, in a plain type.

    Raises
    ------
    TypeError
        For everything but text, a whole number, and None. A bool is none of them: it would be one
        identity for all who are logged in.
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
