"""The session id of the current request: what the browser showed, and the cookie that it gets."""

from __future__ import annotations

from functools import partial
from operator import methodcaller
from typing import cast

from dash_brain.common.signing import KeyRing
from dash_brain.settings import Settings
from dash_brain.web.dash_internals import is_asked_by_mcp, serves
from dash_brain.web.servers import Request, Response
from dash_brain.web.sessions import cookies, page_secrets
from dash_brain.web.sessions.closed import is_closed
from dash_brain.web.sessions.ids import OURS, SessionId

#: Has no cache give to others the response to a request: it is for who asks.
PRIVATE = methodcaller("keep_private")


def asking(settings: Settings, request: Request, keys: KeyRing) -> SessionId | None:
    """Return the session id of a request, None when the browser showed none that is open."""
    if "session_id" not in request.kept:
        found, shown = None, page_secrets.shown if settings.cookie == "page" else cookies.shown
        if request.is_callback or not is_asked_by_mcp():
            for session_id in shown(request, keys, settings.cookie):
                if not is_closed(settings, session_id):
                    found = session_id
                    break
        request.kept["session_id"] = found
    return cast("SessionId | None", request.kept["session_id"])


def is_claim(request: Request) -> bool:
    """Say whether our script asks, to say what its page holds: no page of another site can."""
    sent = request.headers
    is_ours = sent.get("Sec-Fetch-Site", "same-origin") == "same-origin" and OURS in sent
    return is_ours and request.is_callback


def may_begin(settings: Settings, request: Request) -> bool:
    """Say whether a session may begin with a request.

    Not with callbacks, which come in a dozen and would begin a dozen; but with a claim, of which there is
    one at a time, unless it is the last of a page that goes: a new cookie would take the place of the next
    page's. And not with what another site can have the browser post: it comes without our cookie, and a new
    one would take the place of the real one.
    """
    if not cookies.can_be_kept(request, settings.cookie) or is_asked_by_mcp():
        return False
    if request.is_callback or serves("_dash-layout"):
        return is_claim(request) and request.headers[OURS] == "claim"
    return request.method in ("GET", "HEAD")


def begin(settings: Settings, request: Request) -> SessionId:
    """Let a session begin with a request."""
    session_id = request.kept["session_id"] = cookies.fresh(settings.keys)
    request.kept["began"] = True
    send(settings, request)
    return session_id


def replace(settings: Settings, request: Request, closed: SessionId) -> None:
    """Let a new session take the place of one that was closed, for what is left of the request too."""
    request.kept["session_id"] = None
    if settings.cookie != "page":
        request.kept["closed"] = closed
        begin(settings, request)


def send(settings: Settings, request: Request) -> None:
    """Have the cookie set by the response to a request."""
    request.before_sending(PRIVATE)
    if settings.cookie != "page" and "sent" not in request.kept:
        request.kept["sent"] = True
        request.before_sending(partial(_set_cookie, settings, request))


def _set_cookie(settings: Settings, request: Request, response: Response) -> None:
    sent, closed = request.kept["session_id"], request.kept.get("closed")
    if closed is not None and closed.key.kid != sent.key.kid:  # else the new one takes its place
        cookies.set_on(request, response, closed, settings.cookie, ttl=0)
    # A response that was long under way must not bring back what was closed meanwhile.
    if sent is not None and not is_closed(settings, sent):
        cookies.set_on(request, response, sent, settings.cookie, settings.session_ttl)
