"""The interface to requests and responses of any server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NoReturn


class Response(ABC):
    """A response that is about to be sent."""

    @abstractmethod
    def set_header(self, name: str, value: str) -> None:
        """Set a header."""

    @abstractmethod
    def set_cookie(
        self, name: str, value: str, *, max_age: int, secure: bool, same_site: str, partitioned: bool
    ) -> None:
        """Set a cookie for the whole host, which scripts cannot read."""

    @abstractmethod
    def keep_private(self) -> None:
        """Forbid shared caches to keep the response."""


class Request(ABC):
    """The current request.

    Attributes
    ----------
    method, path
        As the browser sent them.
    route
        Name of the endpoint; of Dash's own routes it ends with theirs (``"_dash-layout"``).
    is_callback
        Whether it is to the route of callbacks.
    is_secure
        Whether it came by https.
    server
        The server object, ``Dash.server``.
    state
        What dash_brain keeps for the time of this request, by name.
    """

    __slots__ = ("is_callback", "is_secure", "method", "path", "route", "server", "state")

    method: str
    path: str
    route: str
    is_callback: bool
    is_secure: bool
    server: Any
    state: dict[str, Any]

    @property
    @abstractmethod
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name."""

    @property
    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """The headers by name, in upper or lower case."""

    @property
    @abstractmethod
    def query(self) -> Mapping[str, str]:
        """The arguments of the query string by name."""

    @property
    @abstractmethod
    def view(self) -> Callable[..., Any] | None:
        """The view function."""

    @property
    @abstractmethod
    def is_multiprocess(self) -> bool:
        """Whether the server has several processes, as far as it says so."""

    @abstractmethod
    def refuse(self, status: int) -> NoReturn:
        """Abort the request with an HTTP status."""

    @abstractmethod
    def before_sending(self, change: Callable[[Response], None]) -> None:
        """Register a change of the response; the same one is applied once."""
