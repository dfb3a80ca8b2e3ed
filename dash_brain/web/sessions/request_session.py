"""The session of the current request: found, begun or replaced; and the cookie in the response."""

from __future__ import annotations

from functools import partial
from operator import methodcaller

from dash_brain.common.signing import KeyRing
from dash_brain.settings import Settings
from dash_brain.web.dash_internals import is_asked_by_mcp, is_request_to
from dash_brain.web.servers import Request, Response
from dash_brain.web.sessions import cookies, page_secrets
from dash_brain.web.sessions.closed_sessions import is_closed
from dash_brain.web.sessions.session_ids import HEADER, SessionId, new_session_id

#: Forbids shared caches to keep a response.
KEEP_PRIVATE = methodcaller("keep_private")


def find_session_id(settings: Settings, request: Request, keys: KeyRing) -> SessionId | None:
    """Return the session id of a request, None when it has none that is open."""
    if "session_id" not in request.state:
        found, source = None, page_secrets if settings.cookie == "page" else cookies
        if request.is_callback or not is_asked_by_mcp():
            for session_id in source.session_ids_in(request, keys, settings.cookie):
                if not is_closed(settings, session_id):
                    found = session_id
                    break
        request.state["session_id"] = found
    known: SessionId | None = request.state["session_id"]
    return known


def first_session_id(settings: Settings, request: Request, keys: KeyRing) -> SessionId | None:
    """Return the session id that a callback's request probably has, whether the session is open or not."""
    source = page_secrets if settings.cookie == "page" else cookies
    sent = source.session_ids_in(request, keys, settings.cookie) if request.is_callback else ()
    return next(iter(sent), None)


def is_of_our_script(request: Request) -> bool:
    """Say whether our script sent a request, which no page of another site can."""
    sent = request.headers
    is_from_our_script = sent.get("Sec-Fetch-Site", "same-origin") == "same-origin" and HEADER in sent
    return is_from_our_script and request.is_callback


def may_begin_session(settings: Settings, request: Request) -> bool:
    """Say whether a session may begin with a request.

    Not with callbacks: a page sends a dozen at once, and each would begin one. A page sends one claim at a
    time, so a session may begin with it, unless it is the last one of a page that is left: its cookie would
    replace that of the next page. Nor with a request that another site may have posted: it comes without our
    cookie, and a new one would replace the real one.
    """
    if not cookies.can_be_kept(request, settings.cookie) or is_asked_by_mcp() or request.is_message:
        return False
    if request.is_callback or is_request_to("_dash-layout"):
        return is_of_our_script(request) and request.headers[HEADER] == "claim"
    return request.method in ("GET", "HEAD")


def begin_session(settings: Settings, request: Request) -> SessionId:
    """Begin a session with a request."""
    session_id = request.state["session_id"] = new_session_id(settings.keys)
    request.state["began"] = True
    send_cookie(settings, request)
    return session_id


def replace_session(settings: Settings, request: Request, closed: SessionId) -> None:
    """Begin a new session in place of a closed one, also for the rest of the request."""
    request.state["session_id"] = None
    if settings.cookie != "page":
        request.state["closed"] = closed
        begin_session(settings, request)


def send_cookie(settings: Settings, request: Request) -> None:
    """Set the cookie in the response to a request."""
    request.before_sending(KEEP_PRIVATE)
    if settings.cookie != "page" and "sent" not in request.state:
        request.state["sent"] = True
        request.before_sending(partial(_set_cookie, settings, request), may_block=True)


def _set_cookie(settings: Settings, request: Request, response: Response) -> None:
    sent, closed = request.state["session_id"], request.state.get("closed")
    if closed is not None and closed.key.kid != sent.key.kid:  # else the new cookie has the same name
        cookies.set_session_cookie(request, response, closed, settings.cookie, ttl=0)
    # A slow response must not bring back a session that was closed meanwhile.
    if sent is not None and not is_closed(settings, sent):
        cookies.set_session_cookie(request, response, sent, settings.cookie, settings.session_ttl)
