"""``ServerStore``: a ``dcc.Store`` whose value is on the server and whose token is in the page."""

from __future__ import annotations

from typing import Any, Literal

from dash import Output
from dash.development.base_component import Component

from dash_brain.errors import BrainError, EncodeError, WiringError
from dash_brain.settings import current
from dash_brain.web.apps import check_backend, check_current_backend
from dash_brain.web.component_ids import canonical
from dash_brain.web.dash_internals import is_asked_by_mcp
from dash_brain.web.exchange import register_server_store, store_by_content
from dash_brain.web.leases.pages import mark
from dash_brain.web.sessions import (
    Caller,
    current_caller,
    has_caller,
    is_sent_to_page,
    is_user_without_session,
    user_tag,
)
from dash_brain.web.sessions.refusals import warn_of_initial_data
from dash_brain.web.tokens import Token

PROPS = ["id", "clear_data", "data", "modified_timestamp", "storage_type"]


class ServerStore(Component):
    """A store for large values: they stay on the server, in memory that all workers share.

    Use it as ``dcc.Store``. Callbacks made with :func:`~dash_brain.brain_callback` write any Python value
    to its ``data`` and read that value again, without a copy; the browser holds a token of fewer than 100
    characters, and that is what a clientside callback sees.

    Parameters
    ----------
    id
        A string, or a dict for pattern-matching callbacks.
    storage_type
        Where the browser keeps the token: ``"memory"`` until the page is left, ``"session"`` until the
        tab is closed, ``"local"`` until it is cleared; the value behind it lives for ``session_ttl`` (8
        hours) after a page last showed it.
    data
        The first value. It is stored when the layout is served, for the caller's session.
    clear_data
        Set it to True to empty the store.
    modified_timestamp
        When the token changed last, in milliseconds since the epoch; set by the browser.

    Raises
    ------
    BackendNotSupported
        When the app is served by something else than Flask, FastAPI and Quart.
    BadId
        When the id is neither a string nor a dict of plain values.
    WiringError
        When ``storage_type`` is something else: the order of arguments is that of ``dcc.Store``.
    BrainError
        When the layout is served and ``data`` cannot be stored.

    Examples
    --------
    >>> from dash import html
    >>> from dash_brain import ServerStore
    >>> layout = html.Div([ServerStore(id="orders"), ServerStore(id={"type": "part", "index": 1})])
    """

    # What each component has to define, as Dash's generator does. The metaclass reads the first two, for the
    # page, in the body of this very class: so they cannot be in dash_internals. Component reads the others.
    _namespace = "dash_brain"
    _children_props: list[str] = []  # noqa: RUF012 - the base class wants lists
    _type = "ServerStore"
    _prop_names = PROPS
    _valid_wildcard_attributes: list[str] = []  # noqa: RUF012

    id: str | dict[str, Any]

    def __init__(
        self,
        id: str | dict[str, Any],
        storage_type: Literal["memory", "session", "local"] = "memory",
        data: Any = None,
        clear_data: bool = False,
        modified_timestamp: float | None = None,
        **props: Any,
    ) -> None:
        check_backend()
        canonical(id)  # raises BadId: a ServerStore needs an id that can be compared
        _check_kind(storage_type)
        given = {"data": data, "modified_timestamp": modified_timestamp}
        props |= {name: value for name, value in given.items() if value is not None}
        super().__init__(id=id, storage_type=storage_type, clear_data=clear_data, **props)  # type: ignore[no-untyped-call]

    @property
    def data(self) -> Any:
        """The first value. For MCP it is None: its server shows components to every client."""
        if "data" not in self.__dict__:
            raise AttributeError("data")
        return None if is_asked_by_mcp() else self.__dict__["data"]

    @data.setter
    def data(self, value: Any) -> None:
        self.__dict__["data"] = value

    def to_plotly_json(self) -> dict[str, Any]:
        """Return what is sent to the browser: a token for the value, and a mark for the page to show."""
        sent: dict[str, Any] = super().to_plotly_json()  # type: ignore[no-untyped-call]
        caller = _caller()
        if caller is not None:
            register_server_store(caller, self.id)
            sent["props"]["mark"] = mark(caller, self.id)
            user = user_tag(caller)
            if user is not None:
                sent["props"]["user"] = user
        if "data" in sent["props"]:
            sent["props"]["data"] = _token(caller, sent["props"]["data"])
        return sent


class ServerOutput(Output):
    """An ``Output`` that is a ServerStore by declaration.

    For the rare case in which a callback writes to a ServerStore of which no page has been sent yet.

    Examples
    --------
    >>> from dash_brain import ServerOutput
    >>> ServerOutput("orders")
    <ServerOutput `orders.data`>
    """

    def __init__(
        self,
        id: str | dict[str, Any] | Component,
        property: str = "data",
        allow_duplicate: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(id, property, allow_duplicate, **options)


def _check_kind(storage_type: object) -> None:
    if not isinstance(storage_type, str) or storage_type not in ("memory", "session", "local"):
        raise WiringError(
            'storage_type= of a ServerStore has to be "memory", "session" or "local"; it got another '
            f"{type(storage_type).__name__}. Pass a first value by keyword, ServerStore(id, data=...): the "
            "order of arguments is that of dcc.Store."
        )


def _caller() -> Caller | None:
    """Return the caller that the component is sent to; None outside of requests and jobs."""
    if has_caller():
        return current_caller()
    check_current_backend()
    return None


def _token(caller: Caller | None, value: Any) -> Token | None:
    """Return what the page gets for a value in a layout."""
    if isinstance(value, Token):
        return value
    # The index page has a layout too, for validation only, which is never shown.
    if caller is None or not is_sent_to_page():
        return None
    if is_user_without_session():  # else a private value would lie in the app's namespace
        warn_of_initial_data(current.use(), caller.app_id)
        return None
    try:
        return store_by_content(caller, value)
    except EncodeError as error:
        # EncodeError is a TypeError, which Dash would report as a mistake in the layout.
        raise BrainError(f"data= of a ServerStore: {error}") from error
