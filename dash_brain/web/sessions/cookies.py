"""The session cookie: a random secret, signed.

    <kid>.<session id>.<signature>

The mode is configured. ``"lax"``: for pages of this site. ``"iframe"``: also when the app is in a frame of
another site; each such site then has a session of its own (a partitioned cookie).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dash_brain.common.signing import KeyRing
from dash_brain.web.servers import Request, Response
from dash_brain.web.sessions.session_ids import SessionId

_LABEL = "session cookie"

#: Prefixes of the cookie's name, before the kid: on http, on https, and in mode ``"iframe"``.
PLAIN, SECURE, IFRAME = "dash_brain_", "__Host-dash_brain_", "__Host-dash_brain_iframe_"

_NAME = re.compile(f"(?:{PLAIN}|{SECURE}|{IFRAME})([0-9a-f]{{8}})")


def session_ids_in(request: Request, keys: KeyRing, mode: str) -> list[SessionId]:
    """Return the session ids in the cookies of a request, without those that we did not sign."""
    found, sent = [], request.cookies
    for key in keys.all:
        name, _, rest = sent.get(name_of(request, key.kid, mode), "").partition(".")
        secret, _, signature = rest.partition(".")
        if name == key.kid and key.signs(signature, _LABEL, secret):
            found.append(SessionId(key, secret))
    return found


def set_session_cookie(
    request: Request, response: Response, session_id: SessionId, mode: str, ttl: float
) -> None:
    """Set the cookie for ``ttl`` seconds; 0 deletes it."""
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
    """Say whether the browser would keep our cookie from the response to a request."""
    return mode == "lax" or (mode == "iframe" and request.is_secure)


def name_of(request: Request, kid: str, mode: str) -> str:
    """Return the name of the cookie in a request.

    Cookies ignore ports: the key in the name keeps two apps of a host apart.
    """
    if mode == "iframe":
        return IFRAME + kid
    return (SECURE if request.is_secure else PLAIN) + kid


def has_cookie(request: Request, mode: str) -> bool:
    """Say whether a request has a cookie of this mode, by whatever key."""
    return any(name == name_of(request, kid, mode) for name, kid in our_cookies(request))


def our_cookies(request: Request) -> Iterator[tuple[str, str]]:
    """Yield name and kid of each cookie that some dash_brain may have set, by whatever key."""
    found = map(_NAME.fullmatch, request.cookies)
    return ((match[0], match[1]) for match in found if match)
