"""The cookie that a browser session is: a random secret, signed.

    <kid>.<session id>.<signature>

It opens nothing by itself: namespaces are derived from the session id, with a key.
"""

from __future__ import annotations

import secrets
from typing import cast

import flask

from dash_brain.keys import Key, KeyRing

_LABEL = "session cookie"
_SESSION_ID_BYTES = 32


def session_id(cookie: str) -> str:
    """Return the secret in a valid cookie."""
    return cookie.split(".")[1]


def kid(cookie: str) -> str:
    """Return the name of the key that signed a valid cookie."""
    return cookie.split(".")[0]


def of_request(keys: KeyRing) -> str | None:
    """Return the cookie of ours that the browser sent, or None. Ids that we did not sign are no cookie."""
    request = flask.request
    sent = ((key, request.cookies.get(_name(key.kid, request.is_secure), "")) for key in keys)
    return next((cookie for key, cookie in sent if _is_valid(key, cookie)), None)


def fresh(keys: KeyRing) -> str:
    """Return the one new cookie of the current request."""
    if "dash_brain_cookie" not in flask.g:
        secret = secrets.token_urlsafe(_SESSION_ID_BYTES)
        signature = keys.newest.signature(_LABEL, secret)
        flask.g.dash_brain_cookie = f"{keys.newest.kid}.{secret}.{signature}"
    return cast(str, flask.g.dash_brain_cookie)


def set_on(response: flask.Response, cookie: str, ttl: float) -> flask.Response:
    """Let the browser keep the cookie for ``ttl`` seconds from now."""
    secure = flask.request.is_secure
    response.set_cookie(
        _name(kid(cookie), secure),
        cookie,
        max_age=int(ttl),
        path="/",
        secure=secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _is_valid(key: Key, cookie: str) -> bool:
    name, _, rest = cookie.partition(".")
    secret, _, signature = rest.partition(".")
    return name == key.kid and key.signs(signature, _LABEL, secret)


def _name(kid: str, secure: bool) -> str:
    # Cookies ignore ports: the key in the name keeps two apps of a host apart.
    return f"__Host-dash_brain_{kid}" if secure else f"dash_brain_{kid}"
