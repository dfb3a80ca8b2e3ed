"""The cookie that a browser session is: a random secret, signed.

    <kid>.<session id>.<signature>

How the browser may keep it is configured. ``"lax"``: for pages of this site. ``"iframe"``: also when the
app stands in a page of another site; each such site has then a session of its own (a partitioned cookie).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import flask
from werkzeug.http import dump_cookie

from dash_brain.keys import KeyRing
from dash_brain.sessions.ids import SessionId

_LABEL = "session cookie"
_SESSION_ID_BYTES = 32

#: What the cookies' names begin with: on http, on https, and in mode ``"iframe"``. A kid follows.
PLAIN, SECURE, IFRAME = "dash_brain_", "__Host-dash_brain_", "__Host-dash_brain_iframe_"

_NAME = re.compile(f"(?:{PLAIN}|{SECURE}|{IFRAME})([0-9a-f]{{8}})")


def shown(keys: KeyRing, mode: str) -> Iterator[SessionId]:
    """Yield the session ids in the cookies that the browser sent. Those that we did not sign are none."""
    for key in keys:
        name, secret, signature = _parts(flask.request.cookies.get(name_of(key.kid, mode), ""))
        if name == key.kid and key.signs(signature, _LABEL, secret):
            yield SessionId(key, secret)


def fresh(keys: KeyRing) -> SessionId:
    """Return a session id that nobody has seen."""
    return SessionId(keys.newest, secrets.token_urlsafe(_SESSION_ID_BYTES))


def set_on(response: flask.Response, session_id: SessionId, mode: str, ttl: float) -> None:
    """Let the browser keep the session for ``ttl`` seconds from now; 0 takes it from the browser."""
    key, secret, _ = session_id
    value = f"{key.kid}.{secret}.{key.signature(_LABEL, secret)}" if ttl else ""
    iframe = mode == "iframe"
    header = dump_cookie(
        name_of(key.kid, mode),
        value,
        max_age=int(ttl),
        path="/",
        secure=flask.request.is_secure,
        httponly=True,
        samesite="None" if iframe else "Lax",
        partitioned=iframe,
    )
    response.headers.add("Set-Cookie", header)


def can_be_kept(mode: str) -> bool:
    """Say whether the browser would keep our cookie from the current request."""
    return mode == "lax" or (mode == "iframe" and flask.request.is_secure)


def name_of(kid: str, mode: str) -> str:
    """Return the name of the cookie in the current request.

    Cookies ignore ports: the key in the name keeps two apps of a host apart.
    """
    if mode == "iframe":
        return IFRAME + kid
    return (SECURE if flask.request.is_secure else PLAIN) + kid


def ours() -> Iterator[tuple[str, str]]:
    """Yield name and kid of each cookie that some dash_brain may have set, by whatever key."""
    found = map(_NAME.fullmatch, flask.request.cookies)
    return ((match[0], match[1]) for match in found if match)


def _parts(cookie: str) -> tuple[str, str, str]:
    name, _, rest = cookie.partition(".")
    secret, _, signature = rest.partition(".")
    return name, secret, signature
