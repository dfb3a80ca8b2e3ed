"""Everything that dash_brain registers with Dash.

Until :func:`activate` is called dash_brain changes no app, though Dash loads ``dash_brain.hooks`` for all.
The package calls it when the first of its names that are for Dash is taken.
"""

from __future__ import annotations

from functools import cache

import dash

from dash_brain.common.log import warn
from dash_brain.web import metrics, sent_components, sessions, websockets
from dash_brain.web.apps import check_backend
from dash_brain.web.dash_internals import (
    change_callbacks,
    follow_app,
    follow_requests,
    has_waiting_callbacks,
    is_debugged,
    served_apps,
    unserved_apps,
    when_first_served,
)
from dash_brain.web.descriptions import answer_descriptions
from dash_brain.web.event_loop import served_beside_loop
from dash_brain.web.jobs.manager import share_cancels
from dash_brain.web.leases import route
from dash_brain.web.panel import show_panel
from dash_brain.web.servers import is_asgi, keep_private
from dash_brain.web.wiring import startup


@cache
def activate() -> None:
    """Give the apps of this process sessions and claims: those that have not served yet, and later ones."""
    dash.hooks.setup()(_set_up)
    dash.hooks.index()(_send_session)
    dash.hooks.websocket_message()(websockets.begin)
    for app in unserved_apps():
        _prepare(app)
    for app in served_apps():
        warn("not_set_up", "late", _LATE, app_id=app.config.name, once=True)
    sent_components.watch()


_LATE = (
    "dash_brain was imported after the app had served its first request: the app gets no sessions, or its "
    "pages cannot claim what they hold. Import what you use of dash_brain at the top of a module, not in a "
    "callback or a layout function."
)


def _set_up(app: dash.Dash) -> None:
    if has_waiting_callbacks():
        check_backend()
    follow_app(app)
    _prepare(app)


def _prepare(app: dash.Dash) -> None:
    when_first_served(app, _begin)
    follow_requests(app, _follow)


def _follow(app: dash.Dash) -> None:
    """See to the requests of an app that has its server."""
    route.limit_claim_bytes(app)
    metrics.answer_scrapes(app)


def _begin(app: dash.Dash) -> None:
    """Begin to serve an app, of which Dash has collected the callbacks."""
    startup.take_key(app)
    share_cancels(app)
    route.take_claims(app)
    answer_descriptions(app)
    if is_asgi(app.server):
        change_callbacks(app, served_beside_loop)
    # No proxy may cache a part of a page: it may serve several users
    keep_private(app.server, "_dash-dependencies")
    startup.check_app(app)
    if is_debugged(app):
        show_panel(app)
        _add_to_dev_tools()


@cache
def _add_to_dev_tools() -> None:
    """Tell Dash of the panel, once for all apps of the process, and not before one is debugged.

    It shows what it is told of in all dev tools, and those of an app that is not debugged have no panel.
    """
    dash.hooks.devtool("dash_brain", "Panel")


def _send_session(page: str) -> str:
    """Give the browser its session with the page."""
    sessions.send_session()
    return page
