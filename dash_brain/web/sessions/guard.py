"""Hides the caller while a shared result is computed.

A function can learn who the caller is from several objects of the server and of Dash, and its result might
depend on it. So while the result is computed these attributes raise an error, which names the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from dash_brain import shared_results
from dash_brain.web.dash_internals import callback_context, context_value
from dash_brain.web.servers import hide_request
from dash_brain.web.servers.guarded import RefusedMapping, guarded_class, overridden

#: Attributes of ``dash.ctx`` that identify the caller, or send something to him alone.
_OF_CONTEXT = ("args", "cookies", "custom_data", "dash_response", "headers", "origin", "path", "remote")


@contextmanager
def hide_caller() -> Iterator[None]:
    """Make what identifies the caller raise an error, while the block runs."""
    with hide_request():
        context = callback_context()
        guarded = nullcontext() if context is None else overridden(context_value, _nobodys_context(context))
        with guarded:
            yield


def _nobodys_context(context: Any) -> Any:
    cls: Any = type(context)
    refused = (*_OF_CONTEXT, "dash_websocket") if "dash_websocket" in context else _OF_CONTEXT
    guarded = guarded_class(cls, "dash.ctx", refused)(context)
    guarded["updated_props"] = RefusedMapping("set_props")
    return guarded


shared_results.guards.append(hide_caller)
