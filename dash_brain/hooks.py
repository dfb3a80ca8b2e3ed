"""Everything that dash_brain registers with Dash; nothing happens before it is used.

Dash loads this module into every app of the environment, through the entry point ``dash_hooks``.
"""

from __future__ import annotations

from typing import Any

import dash
import flask

from dash_brain import claims, sessions
from dash_brain.internals import remember_app


@dash.hooks.setup()  # type: ignore[untyped-decorator]
def _setup(app: dash.Dash) -> None:
    remember_app(app)


@dash.hooks.index()  # type: ignore[untyped-decorator]
def _index(page: str) -> str:
    """Give the browser its session with the page."""
    if _used and flask.has_request_context():
        sessions.keep()
    return page


@dash.hooks.route(sessions.CLAIM_ROUTE, methods=("POST",))  # type: ignore[untyped-decorator]
def _claim() -> flask.Response:
    """Take what a page holds, and answer which of it is dead.

    A page that outlived its key gets a new session here, and learns that all its tokens are dead.
    """
    if not _used:
        flask.abort(404)
    if (flask.request.content_length or 0) > claims.MOST_BYTES:
        flask.abort(413)
    asking = sessions.visit()
    if asking.session is None and not sessions.is_shown_by_page():
        flask.abort(403)
    try:
        claim = claims.read(_body())
    except claims.BadClaim:
        flask.abort(400)
    answer: dict[str, Any] = {"dead": claims.accept(asking, claim)}
    if sessions.began():
        answer["began"] = True  # again and again: the browser keeps no cookie, and its page says so
    return flask.jsonify(answer)


def _body() -> bytes:
    """Return the body of the request, or the beginning of one that is too long.

    One that comes in chunks does not say how long it is, and would be read into memory whole.
    """
    body, most = b"", claims.MOST_BYTES + 1
    while len(body) < most and (more := flask.request.stream.read(most - len(body))):
        body += more
    return body


_used = False


def use() -> None:
    """Serve sessions from now on: called when a name of dash_brain that needs Dash is first taken."""
    global _used
    _used = True
