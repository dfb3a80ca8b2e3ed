"""The interface to requests of any server, and the headers of a response."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from werkzeug.datastructures import Headers, ResponseCacheControl
from werkzeug.http import dump_cookie, parse_cache_control_header, parse_set_header


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response, with the type of its text."""

    status: int
    text: str = ""
    content_type: str = "text/plain; charset=utf-8"

    def headers(self) -> dict[str, str]:
        """Return the headers; no cache keeps it."""
        return {"Content-Type": self.content_type, "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Response:
    """The headers of a response that is about to be sent."""

    headers: Headers

    def set_header(self, name: str, value: str) -> None:
        """Set a header."""
        self.headers[name] = value

    def set_cookie(
        self, name: str, value: str, *, max_age: int, secure: bool, same_site: str, partitioned: bool
    ) -> None:
        """Set a cookie for the whole host, which scripts cannot read."""
        header = dump_cookie(
            name,
            value,
            max_age=max_age,
            path="/",
            secure=secure,
            httponly=True,
            samesite=same_site,
            partitioned=partitioned,
        )
        self.headers.add("Set-Cookie", header)

    def keep_private(self) -> None:
        """Forbid shared caches to keep the response."""
        headers = self.headers
        if "Cache-Control" not in headers and "Vary" not in headers:  # the common case, in a few calls
            headers.add("Cache-Control", "private, no-cache")
            headers.add("Vary", "Cookie")
            return
        cache = parse_cache_control_header(headers.get("Cache-Control"), None, ResponseCacheControl)
        cache.public = False
        cache.private = True
        # Not "no-store", which would keep the page out of the back/forward cache.
        cache.no_cache = True
        vary = parse_set_header(headers.get("Vary"))
        vary.add("Cookie")
        headers["Cache-Control"], headers["Vary"] = cache.to_header(), vary.to_header()


class Request(ABC):
    """The current request.

    Attributes
    ----------
    method, path
        As the browser sent them.
    route
        Name of the endpoint; of Dash's own routes it ends with theirs (``"_dash-layout"``).
    is_callback
        Whether it calls a callback.
    is_secure
        Whether it came by https.
    is_message
        Whether it is a message of a websocket: it has the headers and cookies of the handshake, and its
        answer has none.
    is_answered
        Whether the headers of its response are on their way, so that changes of them come too late. With
        Flask nobody tells.
    shares_loop
        Whether it is served by the event loop that serves others too.
    server
        The server object, ``Dash.server``.
    state
        What dash_brain keeps for the time of this request, by name. With ``"goes_on"`` it may outlive the
        session.
    """

    __slots__ = (
        "is_answered",
        "is_callback",
        "is_message",
        "is_secure",
        "method",
        "path",
        "route",
        "server",
        "shares_loop",
        "state",
    )

    method: str
    path: str
    route: str
    is_callback: bool
    is_secure: bool
    is_message: bool
    is_answered: bool
    shares_loop: bool
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
    def owns(self, callback_context: Any) -> bool:
        """Say whether the callback context that is found while the request is served belongs to it."""

    @abstractmethod
    def refuse(self, status: int) -> NoReturn:
        """Abort the request with an HTTP status."""

    @abstractmethod
    def before_sending(self, change: Callable[[Response], None], *, may_block: bool = False) -> None:
        """Register a change of the response; the same one is applied once.

        One that may block, because it asks the store, is applied beside the event loop.
        """
