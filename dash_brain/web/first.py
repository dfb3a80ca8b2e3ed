"""What is looked at once in each process, when an app first serves: mistakes that would show up elsewhere."""

from __future__ import annotations

import logging

import dash

from dash_brain.common.log import warn
from dash_brain.settings import Settings, current
from dash_brain.web.dash_internals import declared_callbacks, is_ours
from dash_brain.web.servers.flask import is_flask
from dash_brain.web.sessions.ids import app_identity
from dash_brain.web.wiring import check

log = logging.getLogger("dash_brain")


def look(app: dash.Dash) -> None:
    """Look at an app's callbacks and logins, of an app of Flask; it serves whatever is found."""
    if not is_flask(app.server):
        return
    try:
        settings = current.use()
        app_id = app_identity(settings, app)
        check(app, app_id)
        _check_logins(app, settings, app_id)
    except Exception:  # of an app that is built in another way
        log.warning("The callbacks of an app could not be held against its stores.", exc_info=True)


def _check_logins(app: dash.Dash, settings: Settings, app_id: str) -> None:
    """Warn when users log in and sessions do not follow."""
    logs_in = hasattr(app.server, "login_manager")
    if logs_in and settings.principal is None and any(is_ours(one) for _, one in declared_callbacks(app)):
        text = (
            "Users log in by flask_login, and dash_brain does not know who: after a login or logout a "
            "browser keeps the values of who was there before. Say who it is: configure(principal=lambda: "
            "current_user.get_id())."
        )
        warn("logins", "no_principal", text, app_id=app_id)
