"""A request in which nobody asks, for the time in which a result is made that is kept for all.

The server and Dash tell a function who asks in more ways than one, and dash_brain cannot see what becomes of
it. So those ways are closed: each raises, and says which result is being made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from dash_brain import shared_results
from dash_brain.web.dash_internals import callback_context, context_value
from dash_brain.web.servers.flask import refusing_who_asks
from dash_brain.web.servers.refusing import RefusedMapping, instead, kind

#: What in ``dash.ctx`` names who asks, or goes to him alone.
_OF_CONTEXT = ("args", "cookies", "custom_data", "dash_response", "headers", "origin", "path", "remote")


@contextmanager
def nobody_asks() -> Iterator[None]:
    """Close the ways in which a function learns who asks, while the block runs."""
    with refusing_who_asks():
        context = callback_context()
        guarded = nullcontext() if context is None else instead(context_value, _nobodys_context(context))
        with guarded:
            yield


def _nobodys_context(context: Any) -> Any:
    cls: Any = type(context)
    guarded = kind(cls, "dash.ctx", _OF_CONTEXT)(context)
    guarded["updated_props"] = RefusedMapping("set_props")
    return guarded


shared_results.guards.append(nobody_asks)
