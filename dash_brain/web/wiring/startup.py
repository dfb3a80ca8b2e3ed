"""Checks when an app first serves, once in each process: mistakes whose errors would show up elsewhere."""

from __future__ import annotations

import logging

import dash

from dash_brain.common.log import warn
from dash_brain.settings import Settings, current
from dash_brain.web.dash_internals import declared_callbacks, is_brain_callback
from dash_brain.web.sessions.session_ids import app_identity
from dash_brain.web.wiring.callbacks import check

log = logging.getLogger("dash_brain")


def take_key(app: dash.Dash) -> None:
    """Let a store on the network, for which no key was configured, sign with the key of the app's server."""
    config = getattr(app.server, "config", {})
    secrets = [config.get("SECRET_KEY"), *(config.get("SECRET_KEY_FALLBACKS") or ())] if config else []
    try:
        current.use().sign_as([secret for secret in secrets if secret])
    except ValueError as error:
        log.warning("The SECRET_KEY of the server is not used to sign: %s", error)


def check_app(app: dash.Dash) -> None:
    """Check the callbacks and logins of an app. It serves in any case."""
    try:
        settings = current.use()
        app_id = app_identity(settings, app)
        check(app, app_id)
        _check_logins(app, settings, app_id)
    except Exception:  # from code of the app, or of another library around it
        log.warning("The callbacks of an app could not be compared with its stores.", exc_info=True)


def _check_logins(app: dash.Dash, settings: Settings, app_id: str) -> None:
    """Warn when users log in and sessions do not follow."""
    logs_in = hasattr(app.server, "login_manager")
    if (
        logs_in
        and settings.principal is None
        and any(is_brain_callback(one) for _, one in declared_callbacks(app))
    ):
        text = (
            "Users log in by flask_login, and principal= is not set: after a login or logout a browser keeps "
            "the values of the user before. Set it: configure(principal=lambda: current_user.get_id())."
        )
        warn("logins", "no_principal", text, app_id=app_id)
