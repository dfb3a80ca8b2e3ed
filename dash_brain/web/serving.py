"""Everything that dash_brain registers with Dash, when a name that needs Dash is first taken.

Before, an app has nothing of dash_brain, though Dash loads ``dash_brain.hooks`` into every app.
"""

from __future__ import annotations

import dash

from dash_brain.web import first, sent, sessions
from dash_brain.web.dash_internals import (
    are_callbacks_waiting,
    check_backend,
    made_before,
    take_early_callbacks,
    when_first_served,
)
from dash_brain.web.jobs.manager import share_cancels
from dash_brain.web.leases import route
from dash_brain.web.servers.flask import is_flask, keep_private


@dash.hooks.setup()  # type: ignore[untyped-decorator]
def _setup(app: dash.Dash) -> None:
    if are_callbacks_waiting():
        check_backend()
    take_early_callbacks(app)
    _prepare(app)


def _prepare(app: dash.Dash) -> None:
    when_first_served(app, _begin)
    route.bound(app)


def _begin(app: dash.Dash) -> None:
    """Begin to serve an app, of which Dash has collected the callbacks."""
    share_cancels(app)
    if is_flask(app.server):
        route.take_claims(app)
        # Nothing is cached of what a page is made of: a proxy may serve several users.
        keep_private(app.server, "_dash-dependencies")
    first.look(app)


@dash.hooks.index()  # type: ignore[untyped-decorator]
def _index(page: str) -> str:
    """Give the browser its session with the page."""
    sessions.keep()
    return page


for _app in made_before():
    _prepare(_app)

sent.watch()
