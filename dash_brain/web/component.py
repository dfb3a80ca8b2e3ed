"""ServerStore, the component: a ``dcc.Store`` whose value is on the server and whose token is in the page."""

from __future__ import annotations

from typing import Any, Literal

from dash import Output
from dash.development.base_component import Component

from dash_brain.errors import BrainError, EncodeError, WiringError
from dash_brain.settings import current
from dash_brain.web.dash_internals import check_backend, check_backend_that_asks, is_asked_by_mcp, serves
from dash_brain.web.exchange import enter, store_by_content
from dash_brain.web.ids import canonical
from dash_brain.web.jobs.errands import errand
from dash_brain.web.leases.pages import mark
from dash_brain.web.sessions import Visit, is_somebody_without_session, somebody_asks, user_name, visit
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
        tab is closed, ``"local"`` for good.
    data
        The first value. It is stored when the layout is served, for the session that asks.
    clear_data
        Set it to True to empty the store.
    modified_timestamp
        When the token changed last, in milliseconds since the epoch; set by the browser.

    Raises
    ------
    BackendNotSupported
        When the app is not served by Flask.
    BadId
        When the id is none that a callback could name.
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

    _children_props: list[str] = []  # noqa: RUF012 - the base class wants lists
    _base_nodes = ["children"]  # noqa: RUF012
    _namespace = "dash_brain"
    _type = "ServerStore"
    _prop_names = PROPS
    _valid_wildcard_attributes: list[str] = []  # noqa: RUF012
    available_properties = PROPS
    available_wildcard_properties: list[str] = []  # noqa: RUF012

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
        canonical(id)  # or BadId: what cannot be compared can be no ServerStore's
        _check_kind(storage_type)
        given = {"data": data, "modified_timestamp": modified_timestamp}
        props |= {name: value for name, value in given.items() if value is not None}
        super().__init__(id=id, storage_type=storage_type, clear_data=clear_data, **props)  # type: ignore[no-untyped-call]

    @property
    def data(self) -> Any:
        """The first value; MCP, which reads components too and shows them to anybody, finds none."""
        if "data" not in self.__dict__:
            raise AttributeError("data")
        return None if is_asked_by_mcp() else self.__dict__["data"]

    @data.setter
    def data(self, value: Any) -> None:
        self.__dict__["data"] = value

    def to_plotly_json(self) -> dict[str, Any]:
        """Return what is sent to the browser: a token for the value, and a mark for the page to show."""
        sent: dict[str, Any] = super().to_plotly_json()  # type: ignore[no-untyped-call]
        asking = _asking()
        if asking is not None:
            enter(asking, self.id)
            sent["props"]["mark"] = mark(asking, self.id)
            user = user_name(asking)
            if user is not None:
                sent["props"]["user"] = user
        if "data" in sent["props"]:
            sent["props"]["data"] = _token(asking, sent["props"]["data"])
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
            'storage_type= of a ServerStore is "memory", "session" or "local", and here it is a '
            f"{type(storage_type).__name__} that is none of them. A first value is given by its name: "
            "ServerStore(id, data=...); the order of arguments is that of dcc.Store."
        )


def _asking() -> Visit | None:
    """Return who the component is being sent to; None when nobody asks."""
    if somebody_asks():
        return visit()
    check_backend_that_asks()
    return None


def _token(asking: Visit | None, value: Any) -> Token | None:
    """Return what the page gets for a value in a layout."""
    if isinstance(value, Token):
        return value
    # The index page holds a layout too, for validation only: what is in it is never shown.
    shown = serves("_dash-layout") or serves("_dash-update-component") or errand() is not None
    if asking is None or not shown:
        return None
    if is_somebody_without_session():  # what he alone may see would be the app's
        warn_of_initial_data(current.use(), asking.app_id)
        return None
    try:
        return store_by_content(asking, value)
    except EncodeError as error:
        # It is a TypeError too, and those Dash takes for its own: it would say something misleading.
        raise BrainError(f"data= of a ServerStore: {error}") from error
