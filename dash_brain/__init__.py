"""Share data between Dash callbacks, workers and processes without a copy.

The names here are loaded when they are first taken: ``Brain`` and the stores work without Dash, and
nothing is imported that is not needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dash_brain import floors

__version__ = "0.1.0"

# What Dash serves to the browser for this package.
_js_dist = [{"relative_package_path": "server_store.js", "namespace": "dash_brain"}]

_PLAIN = {
    "Brain": "brain",
    "Token": "tokens",
    "configure": "settings",
    "open_store": "stores",
}
_DASH = {
    "Memoize": "memoizing.option",
    "ServerOutput": "server_store",
    "ServerStore": "server_store",
    "brain_callback": "callback",
    "close_session": "sessions",
    "from_token": "exchange",
    "session_brain": "sessions.brain",
    "set_props": "callback",
    "to_token": "exchange",
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
    "to_token",
]


def __getattr__(name: str) -> Any:
    module = {**_PLAIN, **_DASH}.get(name)
    if module is None:
        raise AttributeError(f"module 'dash_brain' has no attribute {name!r}")
    floors.check()  # here: apps that have dash_brain installed, and do not use it, work with any Dash
    if name in _DASH:
        import_module("dash_brain.serving")  # from now on the apps of this process have sessions
    value = globals()[name] = getattr(import_module(f"dash_brain.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


if TYPE_CHECKING:
    from dash_brain.brain import Brain
    from dash_brain.callback import brain_callback, set_props
    from dash_brain.exchange import from_token, to_token
    from dash_brain.memoizing.option import Memoize
    from dash_brain.server_store import ServerOutput, ServerStore
    from dash_brain.sessions import close_session
    from dash_brain.sessions.brain import session_brain
    from dash_brain.settings import configure
    from dash_brain.stores import open_store
    from dash_brain.tokens import Token
