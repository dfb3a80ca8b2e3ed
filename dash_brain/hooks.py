"""Everything that dash_brain registers with Dash; nothing happens before it is used.

Dash loads this module into every app of the environment, through the entry point ``dash_hooks``.
"""

from __future__ import annotations

import dash
import flask

from dash_brain import claims, sessions
from dash_brain.internals import remember_app


@dash.hooks.setup()  # type: ignore[untyped-decorator]
def _setup(app: dash.Dash) -> None:
    remember_app(app)


@dash.hooks.index()  # type: ignore[untyped-decorator]
def _index(page: str) -> str:
    """Give the browser its session with the page: callbacks come in a dozen and would make a dozen."""
    if _used and flask.has_request_context():
        flask.after_this_request(sessions.keep)
    return page


@dash.hooks.route("_dash-brain-claim", methods=("POST",))  # type: ignore[untyped-decorator]
def _claim() -> flask.Response:
    """Take what a page holds, and answer which of it is dead."""
    if not _used:
        flask.abort(404)
    try:
        claim = claims.read(flask.request.get_data(cache=False))
    except claims.BadClaim:
        flask.abort(400)
    dead = claims.accept(sessions.visit(), claim)
    # A page that outlived its key gets a new session here, and learns that all its tokens are dead.
    return sessions.keep(flask.jsonify(dead=dead))


_used = False


def use() -> None:
    """Serve sessions from now on: called when a name of dash_brain that needs Dash is first taken."""
    global _used
    _used = True
