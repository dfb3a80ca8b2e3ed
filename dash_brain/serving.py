"""Everything that dash_brain registers with Dash, when a name that needs Dash is first taken.

Before, an app has nothing of dash_brain, though Dash loads ``dash_brain.hooks`` into every app.
"""

from __future__ import annotations

from typing import Any

import dash
import flask

from dash_brain import claims, first, sent, sessions
from dash_brain.internals import (
    add_route,
    are_callbacks_waiting,
    check_backend,
    made_before,
    take_early_callbacks,
    when_first_served,
)
from dash_brain.jobs.manager import share_cancels
from dash_brain.servers.flask import is_flask, keep_private


@dash.hooks.setup()  # type: ignore[untyped-decorator]
def _setup(app: dash.Dash) -> None:
    if are_callbacks_waiting():
        check_backend()
    take_early_callbacks(app)
    _prepare(app)


def _prepare(app: dash.Dash) -> None:
    when_first_served(app, _begin)


def _begin(app: dash.Dash) -> None:
    """Begin to serve an app, of which Dash has collected the callbacks."""
    share_cancels(app)
    if is_flask(app.server):  # nothing is cached of what a page is made of: a proxy may serve several users
        keep_private(app.server, "_dash-dependencies")
    first.look(app)


@dash.hooks.index()  # type: ignore[untyped-decorator]
def _index(page: str) -> str:
    """Give the browser its session with the page."""
    sessions.keep()
    return page


# Without annotations: FastAPI would take them for its own.
@dash.hooks.route(sessions.CLAIM_ROUTE, methods=("POST",))
def _claim():  # type: ignore[no-untyped-def]
    """Take what a page holds, and answer which of it is dead.

    A page that outlived its key gets a new session here, and learns that all its tokens are dead.
    """
    if (flask.request.content_length or 0) > claims.MOST_BYTES:
        flask.abort(413)
    asking = sessions.visit()
    if asking.session is None and not sessions.is_shown_by_page():
        flask.abort(403)
    try:
        claim = claims.read(_body())
    except claims.BadClaim:
        flask.abort(400)
    user = sessions.user_name(asking)
    answer: dict[str, Any] = {
        "dead": claims.accept(asking, claim),
        **({} if user is None else {"user": user}),
    }
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


for _app in made_before():
    add_route(_app, sessions.CLAIM_ROUTE, _claim, ("POST",))
    _prepare(_app)

sent.watch()
