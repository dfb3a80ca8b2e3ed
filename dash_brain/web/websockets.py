"""Callbacks over a websocket: what they set and read while they run are tokens in the page.

Dash sends what such a callback sets at once, so it cannot be exchanged when the callback is over.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

from dash_brain.errors import StoreError, WiringError
from dash_brain.web.component_ids import parse
from dash_brain.web.component_registry import registry_of
from dash_brain.web.dash_internals import callback_context
from dash_brain.web.event_loop import beside_loop
from dash_brain.web.exchange import resolve
from dash_brain.web.outgoing import Outgoing
from dash_brain.web.servers import begin_message
from dash_brain.web.sessions import current_caller, has_ended

#: What a socket is closed with whose session has ended: its pages claim, which brings a new cookie where none
#: has come yet, and the browser opens another socket.
_ENDED = (4008, "The session has ended.")


def exchange_over(context: Any) -> None:
    """Exchange values and tokens in what the running callback sets and reads over its websocket."""
    websocket = context["dash_websocket"]
    cls: Any = type(websocket)
    websocket.__class__ = _exchanging(cls)


@lru_cache(maxsize=16)
def _exchanging(cls: Any) -> Any:
    """Return a subclass of Dash's interface to a websocket."""
    if issubclass(cls, _Exchanging):
        return cls
    return type(cls.__name__, (_Exchanging, cls), {})


class _Exchanging:
    """Exchanges values and tokens; in front of Dash's class."""

    def set_prop_sync(self, component_id: str, prop_name: str, value: Any) -> None:
        """Send a property to the page; of a ServerStore its token."""
        outgoing = Outgoing(current_caller(), callback_context())
        [sent] = outgoing.props(component_id, {prop_name: value}).values()
        super().set_prop_sync(component_id, prop_name, sent)  # type: ignore[misc]

    async def set_prop(self, component_id: str, prop_name: str, value: Any) -> None:
        """Do the same, beside the event loop."""
        await beside_loop(self.set_prop_sync, component_id, prop_name, value)

    async def get_prop(self, component_id: str, prop_name: str, *args: Any, **options: Any) -> Any:
        """Return a property that the page has now; of a ServerStore its value."""
        is_server_store = prop_name == "data" and await beside_loop(_is_server_store, component_id)
        if is_server_store and options.get("path"):
            raise WiringError(
                f"get_prop of ServerStore {component_id!r} takes no path=: the page has a token only. Take a "
                "part of the value that get_prop returns without it."
            )
        value = await super().get_prop(component_id, prop_name, *args, **options)  # type: ignore[misc]
        if not is_server_store or value is None:
            return value
        return await beside_loop(lambda: resolve(current_caller(), value, component_id))


def _is_server_store(component_id: str) -> bool:
    return registry_of(current_caller()).holds_tokens(parse(component_id))


async def begin(_: Any, message: Any) -> tuple[int, str] | None:
    """Begin a message of a websocket; return with what to close the socket when its session has ended."""
    if not isinstance(message, dict) or message.get("type") != "callback_request":
        return None
    begin_message()
    with suppress(StoreError):  # the callback says so
        if await beside_loop(has_ended):
            return _ENDED
    return None
