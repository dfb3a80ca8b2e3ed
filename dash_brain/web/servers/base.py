"""What dash_brain reads of a request and changes in its response, whatever server answers it."""

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
        """Let no cache give the response to others."""


class Request(ABC):
    """The request that is answered.

    Attributes
    ----------
    method, path
        As the browser sent them.
    route
        Name of what answers it, which for Dash's own routes ends with theirs (``"_dash-layout"``).
    is_callback
        Whether a page asks for a callback by it.
    is_secure
        Whether it came by https.
    server
        The server object, ``Dash.server``.
    kept
        What is kept for the time of this request, by name.
    """

    __slots__ = ("is_callback", "is_secure", "kept", "method", "path", "route", "server")

    method: str
    path: str
    route: str
    is_callback: bool
    is_secure: bool
    server: Any
    kept: dict[str, Any]

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
        """The arguments in the address by name."""

    @property
    @abstractmethod
    def view(self) -> Callable[..., Any] | None:
        """The function that answers."""

    @abstractmethod
    def refuse(self, status: int) -> NoReturn:
        """Have the request answered by a status of HTTP, and nothing else."""

    @abstractmethod
    def before_sending(self, change: Callable[[Response], None]) -> None:
        """Have the response changed before it is sent, once by each of these."""
