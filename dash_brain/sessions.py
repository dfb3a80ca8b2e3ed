"""Who asks: the session of the browser and the app that it talks to.

A session is a random secret in a signed cookie. What belongs to it lies in namespaces whose names are
derived from that secret, so that neither a folder's name nor a token reveals a cookie, and no app sees
what is another's.
"""

from __future__ import annotations

import hashlib
import sys
from typing import NamedTuple, cast

import dash
import flask

from dash_brain import cookies
from dash_brain.attendance import attendance
from dash_brain.errors import NoSession
from dash_brain.internals import requested_app, serves
from dash_brain.settings import Settings, current
from dash_brain.tokens import SCOPES

#: Where pages say what they hold.
CLAIM_ROUTE = "_dash-brain-claim"

#: A header that scripts of other sites cannot send without our leave.
OURS = "X-Dash-Brain"


class Visit(NamedTuple):
    """One request: the app that is asked, and the session that asks, if the browser sent one."""

    app_id: str
    session: str | None

    @property
    def namespaces(self) -> dict[str, str]:
        """Scope to namespace: where tokens of this visit may point to."""
        spaces = {"app": f"app/{self.app_id}", "memo": f"memo/app/{self.app_id}"}
        if self.session is not None:
            spaces |= {"session": f"session/{self.session}", "session-memo": f"session-memo/{self.session}"}
        return spaces

    def namespace(self, scope: str) -> str:
        """Return the namespace of a scope of tokens.

        Raises
        ------
        NoSession
            When the browser sent no valid cookie.
        """
        if scope not in SCOPES:
            raise ValueError(f"There is no scope {scope!r}.")
        if scope not in self.namespaces:
            raise _no_session()
        return self.namespaces[scope]

    @property
    def names(self) -> str:
        """The namespace of what is kept by name in the session. Raises as :meth:`namespace` does."""
        return self.namespace("session").replace("session", "session-names", 1)

    @property
    def claims(self) -> str:
        """The namespace of the claims of the session's pages. Raises as :meth:`namespace` does."""
        return self.namespace("session").replace("session", "claims", 1)


def visit() -> Visit:
    """Return who asks whom, in a callback or while a page is served.

    Raises
    ------
    NoSession
        Outside of any request.
    """
    if not flask.has_request_context():
        raise NoSession(
            "No browser is asking: sessions exist in callbacks and while a layout is served. For values that "
            "belong to no session use Brain."
        )
    if "dash_brain_visit" not in flask.g:
        flask.g.dash_brain_visit = _visit()
    return cast(Visit, flask.g.dash_brain_visit)


def _visit() -> Visit:
    settings = current.use()
    app_id = app_identity(settings, requested_app())
    cookie = cookies.of_request(settings.keys)
    if cookie is not None:
        session = session_of(settings, app_id, cookie)
        if _is_use() and attendance(settings, app_id).see(session):
            _send(cookie, settings)
        return Visit(app_id, session)
    if not _may_begin():
        return Visit(app_id, None)
    cookie = cookies.fresh(settings.keys)
    _send(cookie, settings)
    return Visit(app_id, session_of(settings, app_id, cookie))


def _is_use() -> bool:
    """Say whether the current request shows that its session is in use."""
    return any(map(serves, ("_dash-update-component", "_dash-layout", CLAIM_ROUTE)))


def _may_begin() -> bool:
    """Say whether a session may begin with the current request.

    Not with callbacks, which come in a dozen and would begin a dozen. And not with what another site can
    have the browser post: it comes without our cookie, and a new one would take the place of the real one.
    """
    if serves("_dash-update-component") or serves("_dash-layout"):
        return False
    return flask.request.method in ("GET", "HEAD") or OURS in flask.request.headers


def _send(cookie: str, settings: Settings) -> None:
    """Have the cookie set by the response to the current request."""
    if "dash_brain_sent" not in flask.g:
        flask.g.dash_brain_sent = True
        flask.after_this_request(lambda response: cookies.set_on(response, cookie, settings.session_ttl))


def app_identity(settings: Settings, app: dash.Dash | None) -> str:
    """Return the app id as 32 hex digits: as configured, else from the app's name and path prefix."""
    name = settings.app_id
    if name is None and app is not None:
        # Two scripts that are run by hand are both called "__main__"; their files tell them apart.
        file = getattr(sys.modules.get("__main__"), "__file__", "") if app.config.name == "__main__" else ""
        name = f"{app.config.name}\0{file}\0{app.config.requests_pathname_prefix}"
    return hashlib.sha256((name or "").encode()).hexdigest()[:32]


def session_of(settings: Settings, app_id: str, cookie: str) -> str:
    """Return the name that the session of a valid cookie has in the store: 32 hex digits."""
    key = settings.keys.find(cookies.kid(cookie))
    assert key is not None, "the cookie was found valid"
    return key.mac("session namespace", app_id, cookies.session_id(cookie)).hex()[:32]


def keep() -> None:
    """Give the browser its session with the page that is being served: the one that it has, or a new one."""
    settings = current.use()
    visit()
    _send(cookies.of_request(settings.keys) or cookies.fresh(settings.keys), settings)
    flask.after_this_request(_keep_private)


def _keep_private(response: flask.Response) -> flask.Response:
    response.cache_control.private = True
    # Not "no-store", which would keep the page out of the back/forward cache.
    response.cache_control.no_cache = True
    response.vary.add("Cookie")
    return response


def _no_session() -> NoSession:
    return NoSession(
        "The browser sent no valid session cookie. It gets one with the page: reload it. If that does not "
        "help, the browser refuses cookies, or the workers do not share one key: set DASH_BRAIN_KEY."
    )
