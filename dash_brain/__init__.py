"""Share data between Dash callbacks, workers and processes without a copy.

The names here are loaded when they are first taken: ``Brain`` and the stores work without Dash, and
nothing is imported that is not needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dash_brain import floors
from dash_brain.common.version import VERSION

__version__ = VERSION

# What Dash serves to the browser for this package.
_js_dist = [{"relative_package_path": "web/server_store.js", "namespace": "dash_brain"}]

_PLAIN = {
    "Brain": "brain",
    "Token": "web.tokens",
    "configure": "settings",
    "open_store": "stores",
    "stats": "metrics.stats",
}
_DASH = {
    "Memoize": "memo.option",
    "ServerOutput": "web.component",
    "ServerStore": "web.component",
    "brain_callback": "web.callback",
    "close_session": "web.sessions",
    "from_token": "web.exchange",
    "session_brain": "web.sessions.session_brain",
    "set_props": "web.callback",
    "to_token": "web.exchange",
}

__all__ = [
    "Brain",
    "Memoize",
    "ServerOutput",
    "ServerStore",
    "Token",
    "brain_callback",
    "close_session",
    "configure",
    "from_token",
    "open_store",
    "session_brain",
    "set_props",
    "stats",
    "to_token",
]


def __getattr__(name: str) -> Any:
    module = {**_PLAIN, **_DASH}.get(name)
    if module is None:
        raise AttributeError(f"module 'dash_brain' has no attribute {name!r}")
    floors.check()  # here: apps that have dash_brain installed, and do not use it, work with any Dash
    if name in _DASH:
        # Taking such a name is the use, because nothing else has to happen before the first page is served,
        # with which the session begins: an app whose layout is a function, or that needs session_brain only,
        # calls nothing of dash_brain before. Loading the package is no use: Dash does that for every app of
        # the environment, by the entry point, and leaves those alone that take nothing.
        import_module("dash_brain.web.activation").activate()
    value = globals()[name] = getattr(import_module(f"dash_brain.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


if TYPE_CHECKING:
    from dash_brain.brain import Brain
    from dash_brain.memo.option import Memoize
    from dash_brain.metrics.stats import stats
    from dash_brain.settings import configure
    from dash_brain.stores import open_store
    from dash_brain.web.callback import brain_callback, set_props
    from dash_brain.web.component import ServerOutput, ServerStore
    from dash_brain.web.exchange import from_token, to_token
    from dash_brain.web.sessions import close_session
    from dash_brain.web.sessions.session_brain import session_brain
    from dash_brain.web.tokens import Token
