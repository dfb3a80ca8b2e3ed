"""The cookie that a browser session is: a random secret, signed.

    <kid>.<session id>.<signature>

How the browser may keep it is configured. ``"lax"``: for pages of this site. ``"iframe"``: also when the
app stands in a page of another site; each such site has then a session of its own (a partitioned cookie).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from dash_brain.common.signing import KeyRing
from dash_brain.web.servers import Request, Response
from dash_brain.web.sessions.ids import SessionId

_LABEL = "session cookie"
_SESSION_ID_BYTES = 32

#: What the cookies' names begin with: on http, on https, and in mode ``"iframe"``. A kid follows.
PLAIN, SECURE, IFRAME = "dash_brain_", "__Host-dash_brain_", "__Host-dash_brain_iframe_"

_NAME = re.compile(f"(?:{PLAIN}|{SECURE}|{IFRAME})([0-9a-f]{{8}})")


def shown(request: Request, keys: KeyRing, mode: str) -> list[SessionId]:
    """Return the session ids in the cookies that the browser sent. Those that we did not sign are none."""
    found, sent = [], request.cookies
    for key in keys.all:
        name, _, rest = sent.get(name_of(request, key.kid, mode), "").partition(".")
        secret, _, signature = rest.partition(".")
        if name == key.kid and key.signs(signature, _LABEL, secret):
            found.append(SessionId(key, secret))
    return found


def fresh(keys: KeyRing) -> SessionId:
    """Return a session id that nobody has seen."""
    return SessionId(keys.newest, secrets.token_urlsafe(_SESSION_ID_BYTES))


def set_on(request: Request, response: Response, session_id: SessionId, mode: str, ttl: float) -> None:
    """Let the browser keep the session for ``ttl`` seconds from now; 0 takes it from the browser."""
    key, secret, _ = session_id
    value = f"{key.kid}.{secret}.{key.signature(_LABEL, secret)}" if ttl else ""
    iframe = mode == "iframe"
    response.set_cookie(
        name_of(request, key.kid, mode),
        value,
        max_age=int(ttl),
        secure=request.is_secure,
        same_site="None" if iframe else "Lax",
        partitioned=iframe,
    )


def can_be_kept(request: Request, mode: str) -> bool:
    """Say whether the browser would keep our cookie from a request."""
    return mode == "lax" or (mode == "iframe" and request.is_secure)


def name_of(request: Request, kid: str, mode: str) -> str:
    """Return the name of the cookie in a request.

    Cookies ignore ports: the key in the name keeps two apps of a host apart.
    """
    if mode == "iframe":
        return IFRAME + kid
    return (SECURE if request.is_secure else PLAIN) + kid


def ours(request: Request) -> Iterator[tuple[str, str]]:
    """Yield name and kid of each cookie that some dash_brain may have set, by whatever key."""
    found = map(_NAME.fullmatch, request.cookies)
    return ((match[0], match[1]) for match in found if match)
