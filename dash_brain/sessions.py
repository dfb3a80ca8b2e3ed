"""Who asks: the session of the browser and the app that it talks to.

A session is a random secret in a signed cookie. What belongs to it lies in namespaces whose names are
derived from that secret, so that neither a folder's name nor a token reveals a cookie, and no app sees
what is another's.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from typing import NamedTuple, cast

import dash
import flask

from dash_brain.errors import NoSession
from dash_brain.internals import requested_app, serves
from dash_brain.keys import Key, KeyRing
from dash_brain.settings import Settings, current
from dash_brain.tokens import SCOPES

_COOKIE = "session cookie"
_NAMESPACE = "session namespace"
_SESSION_ID_BYTES = 32


class Visit(NamedTuple):
    """One request: the app that is asked, and the session that asks, if the browser sent one."""

    app_id: str
    session: str | None

    @property
    def namespaces(self) -> dict[str, str]:
        """Scope to namespace: where tokens of this visit may point to."""
        spaces = {"app": f"app/{self.app_id}"}
        if self.session is not None:
            spaces["session"] = f"session/{self.session}"
        return spaces

    def namespace(self, scope: str) -> str:
        """Return the namespace of a scope, ``"session"`` or ``"app"``.

        Raises
        ------
        NoSession
            When the browser sent no valid cookie.
        """
        if scope not in SCOPES:
            raise ValueError("scope is 'session' or 'app'.")
        if scope not in self.namespaces:
            raise _no_session()
        return self.namespaces[scope]

    @property
    def names(self) -> str:
        """The namespace of what is kept by name in the session. Raises as :meth:`namespace` does."""
        if self.session is None:
            raise _no_session()
        return f"session-names/{self.session}"


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
    cookie = _valid_cookie(settings.keys)
    if cookie is None and not serves("_dash-layout") and not serves("_dash-update-component"):
        # A page gets its cookie with this very response. Dash may also run a layout function here, to
        # validate it in the first request of a worker, and that has to have a session to read.
        cookie = _fresh_cookie(settings.keys)
    if cookie is None:
        return Visit(app_id, None)
    session = session_of(settings.keys, app_id, cookie)
    cookies.renew(session, cookie)
    return Visit(app_id, session)


def app_identity(settings: Settings, app: dash.Dash | None) -> str:
    """Return the app id as 32 hex digits: as configured, else from the app's name and path prefix."""
    name = settings.app_id
    if name is None and app is not None:
        # Two scripts that are run by hand are both called "__main__"; their files tell them apart.
        file = getattr(sys.modules.get("__main__"), "__file__", "") if app.config.name == "__main__" else ""
        name = f"{app.config.name}\0{file}\0{app.config.requests_pathname_prefix}"
    return hashlib.sha256((name or "").encode()).hexdigest()[:32]


def session_of(keys: KeyRing, app_id: str, cookie: str) -> str:
    """Return the name that the session of a valid cookie has in the store: 32 hex digits."""
    kid, session_id, _ = cookie.split(".")
    key = keys.find(kid)
    assert key is not None, "the cookie was found valid"
    return key.mac(_NAMESPACE, app_id, session_id).hex()[:32]


def new_cookie(keys: KeyRing) -> str:
    """Return the cookie of a fresh session."""
    session_id = secrets.token_urlsafe(_SESSION_ID_BYTES)
    return f"{keys.newest.kid}.{session_id}.{keys.newest.signature(_COOKIE, session_id)}"


def is_valid(key: Key, cookie: str) -> bool:
    """Say whether this key signed the cookie. Unknown session ids are never adopted."""
    kid, _, rest = cookie.partition(".")
    session_id, _, signature = rest.partition(".")
    return kid == key.kid and key.signs(signature, _COOKIE, session_id)


def cookie_name(kid: str, secure: bool) -> str:
    """Return the cookie's name. Cookies ignore ports: the key in it keeps two apps of a host apart."""
    return f"__Host-dash_brain_{kid}" if secure else f"dash_brain_{kid}"


class CookieJar:
    """Gives the browser its cookie, and a longer life while it is used."""

    #: Part of the ttl after which the cookie is sent again.
    RENEWAL = 1 / 20
    #: Sessions to remember at most; forgetting one costs one more ``Set-Cookie``.
    LIMIT = 10_000

    def __init__(self) -> None:
        self._sent: dict[str, float] = {}

    def keep(self, response: flask.Response) -> flask.Response:
        """Set the cookie on a page: the one that the browser sent, or else a fresh one."""
        settings = current.use()
        self._set(response, _valid_cookie(settings.keys) or _fresh_cookie(settings.keys), settings)
        response.cache_control.private = True
        response.cache_control.no_cache = True
        response.vary.add("Cookie")
        return response

    def renew(self, session: str, cookie: str) -> None:
        """Prolong the cookie by the response to a callback, when that was not done lately."""
        settings = current.use()
        now = time.monotonic()
        age = now - self._sent.get(session, -settings.session_ttl)
        if not serves("_dash-update-component") or age < settings.session_ttl * self.RENEWAL:
            return
        if len(self._sent) >= self.LIMIT:
            self._sent.clear()
        self._sent[session] = now
        flask.after_this_request(lambda response: self._set(response, cookie, settings))

    def _set(self, response: flask.Response, cookie: str, settings: Settings) -> flask.Response:
        secure = flask.request.is_secure
        response.set_cookie(
            cookie_name(cookie.partition(".")[0], secure),
            cookie,
            max_age=int(settings.session_ttl),
            path="/",
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        return response


cookies = CookieJar()


def _valid_cookie(keys: KeyRing) -> str | None:
    """Return the cookie of the current request that opens a session, if there is one."""
    request = flask.request
    sent = ((key, request.cookies.get(cookie_name(key.kid, request.is_secure), "")) for key in keys)
    return next((cookie for key, cookie in sent if is_valid(key, cookie)), None)


def _fresh_cookie(keys: KeyRing) -> str:
    """Return the one new cookie of the current request."""
    if "dash_brain_cookie" not in flask.g:
        flask.g.dash_brain_cookie = new_cookie(keys)
    return cast(str, flask.g.dash_brain_cookie)


def _no_session() -> NoSession:
    return NoSession(
        "The browser sent no valid session cookie. It gets one with the page: reload it. If that does not "
        "help, the browser refuses cookies, or the workers do not share one key: set DASH_BRAIN_KEY."
    )
