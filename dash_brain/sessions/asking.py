"""The session id of the current request: what the browser showed, and the cookie that it gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import flask

from dash_brain.internals import is_asked_by_mcp, serves
from dash_brain.sessions import cookies, page_secrets
from dash_brain.sessions.closed import is_closed
from dash_brain.sessions.ids import OURS, SessionId
from dash_brain.settings import Settings


def asking(settings: Settings) -> SessionId | None:
    """Return the session id of the current request, None when the browser showed none that is open."""
    if "dash_brain_session_id" not in flask.g:
        still_open = (one for one in _shown(settings) if not is_closed(settings, one))
        flask.g.dash_brain_session_id = next(still_open, None)
    return cast("SessionId | None", flask.g.dash_brain_session_id)


def _shown(settings: Settings) -> Iterator[SessionId]:
    if is_asked_by_mcp():
        return iter(())
    if settings.cookie == "page":
        return page_secrets.shown(settings.keys)
    return cookies.shown(settings.keys, settings.cookie)


def is_claim() -> bool:
    """Say whether our script asks, to say what its page holds: no page of another site can."""
    sent = flask.request.headers
    is_ours = sent.get("Sec-Fetch-Site", "same-origin") == "same-origin" and OURS in sent
    return is_ours and serves("_dash-update-component")


def may_begin(settings: Settings) -> bool:
    """Say whether a session may begin with the current request.

    Not with callbacks, which come in a dozen and would begin a dozen; but with a claim, of which there is
    one at a time. And not with what another site can have the browser post: it comes without our cookie, and
    a new one would take the place of the real one.
    """
    if not cookies.can_be_kept(settings.cookie) or is_asked_by_mcp():
        return False
    if serves("_dash-update-component") or serves("_dash-layout"):
        return is_claim()
    return flask.request.method in ("GET", "HEAD")


def begin(settings: Settings) -> SessionId:
    """Let a session begin with the current request."""
    session_id = flask.g.dash_brain_session_id = cookies.fresh(settings.keys)
    flask.g.dash_brain_began = True
    send(settings)
    return session_id


def began() -> bool:
    """Say whether a session began with the current request: the browser showed none."""
    return "dash_brain_began" in flask.g


def replace(settings: Settings, closed: SessionId) -> None:
    """Let a new session take the place of one that was closed, for what is left of the request too."""
    flask.g.dash_brain_session_id = None
    if settings.cookie != "page":
        flask.g.dash_brain_closed = closed
        begin(settings)


def send(settings: Settings) -> None:
    """Have the cookie set by the response to the current request."""
    keep_private()
    if settings.cookie != "page" and "dash_brain_sent" not in flask.g:
        flask.g.dash_brain_sent = True
        flask.after_this_request(lambda response: _set_cookie(response, settings))


def keep_private() -> None:
    """Have no cache give to others the response to the current request: it is for who asks."""
    if "dash_brain_private" not in flask.g:
        flask.g.dash_brain_private = True
        flask.after_this_request(as_private)


def as_private(response: flask.Response) -> flask.Response:
    """Return the response as one that no cache may give to others."""
    response.cache_control.public = False
    response.cache_control.private = True
    # Not "no-store", which would keep the page out of the back/forward cache.
    response.cache_control.no_cache = True
    response.vary.add("Cookie")
    return response


def _set_cookie(response: flask.Response, settings: Settings) -> flask.Response:
    sent, closed = flask.g.dash_brain_session_id, flask.g.get("dash_brain_closed")
    if closed is not None and closed.key.kid != sent.key.kid:  # else the new one takes its place
        cookies.set_on(response, closed, settings.cookie, ttl=0)
    # A response that was long under way must not bring back what was closed meanwhile.
    if sent is not None and not is_closed(settings, sent):
        cookies.set_on(response, sent, settings.cookie, settings.session_ttl)
    return response
