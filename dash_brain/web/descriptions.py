"""Descriptions of values for clientside callbacks, whose browser has tokens only.

As with claims, the question goes to the route of callbacks, and only our script can ask it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import dash

from dash_brain.errors import BadToken, ValueMissing
from dash_brain.web import tokens
from dash_brain.web.dash_internals import add_hidden_callback
from dash_brain.web.event_loop import served_beside_loop
from dash_brain.web.servers import current_request, is_asgi
from dash_brain.web.sessions import Caller, current_caller
from dash_brain.web.sessions.request_session import is_of_our_script

#: The id of the callback, as an output.
OUTPUT = "_dash-brain-description.data"


def answer_descriptions(app: dash.Dash) -> None:
    """Add the callback that describes values to an app of which Dash has collected the callbacks."""
    add_hidden_callback(app, OUTPUT, served_beside_loop(_answer) if is_asgi(app.server) else _answer)


def _answer(token: object = None, *_: Any, **__: Any) -> str:
    request = current_request()
    assert request is not None  # Dash calls this in requests only
    if not is_of_our_script(request):
        request.refuse(403)
    return json.dumps(described(current_caller(), token))


def described(caller: Caller, token: object) -> dict[str, str | int] | None:
    """Return type, rows, columns and bytes of the value of a token, as far as it has them.

    None: the value is gone, or the token is none of the caller's. Nothing says which.
    """
    with suppress(BadToken, ValueMissing):
        found = tokens.verify(caller.keys, caller.namespaces, token)
        info = caller.settings.store.info(*found)
        sizes = {name: int(info.meta[name]) for name in ("rows", "columns") if name in info.meta}
        return {"type": info.meta.get("type", ""), **sizes, "bytes": info.nbytes}
    return None
