"""Requests of ASGI servers: a middleware keeps the current one in a context variable.

The variable reaches everything that runs for the request: hooks, callbacks in tasks and threads, and those
of websockets. Nothing here imports a framework.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.http import parse_cookie

from dash_brain.web.servers.base import Answer, Request, Response
from dash_brain.web.servers.guarded import overridden
from dash_brain.web.servers.threads import threads

Scope: TypeAlias = "MutableMapping[str, Any]"
Message: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[Message]]"
Send: TypeAlias = "Callable[[Message], Awaitable[None]]"
App: TypeAlias = "Callable[[Scope, Receive, Send], Awaitable[None]]"

#: Where Dash has websockets.
_SOCKET = "_dash-ws-callback"

#: The request that the middleware serves.
served: ContextVar[AsgiRequest | None] = ContextVar("dash_brain_request", default=None)


class AsgiRequest(Request):
    """A request of an ASGI server, or the handshake or a message of a websocket."""

    __slots__ = ("_changes", "_cookies", "_headers", "_may_block", "_query", "_scope")

    def __init__(self, scope: Scope, server: Any, *, is_message: bool = False) -> None:
        self._scope = scope
        self.server = server
        self.method = scope.get("method", "GET")
        self.path = _path_below_mount(scope)
        self.is_callback = self.path.endswith(("_dash-update-component", _SOCKET))
        self.is_secure = scope.get("scheme") in ("https", "wss")
        self.is_message = self.is_answered = is_message
        self.shares_loop = True
        self.state = {"goes_on": True} if is_message else {}
        self._headers: Headers | None = None
        self._cookies: Mapping[str, str] | None = None
        self._query: Mapping[str, str] | None = None
        self._changes: dict[Callable[[Response], None], None] = {}
        self._may_block = False

    @property
    def route(self) -> str:  # type: ignore[override]
        """The name of the endpoint; the path, until the framework has found it."""
        return self._endpoint() or self.path

    @abstractmethod
    def _endpoint(self) -> str | None:
        """Return the name of the endpoint, None before it is found."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name."""
        if self._headers is None:
            self._headers = _decoded(self._scope["headers"])
        headers: Any = self._headers
        return headers  # type: ignore[no-any-return]

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name."""
        if self._cookies is None:
            sent = [value for name, value in self._scope["headers"] if name.lower() == b"cookie"]
            self._cookies = parse_cookie(b"; ".join(sent).decode("latin-1"))  # HTTP/2 may split them
        return self._cookies

    @property
    def query(self) -> Mapping[str, str]:
        """The arguments of the query string by name."""
        if self._query is None:
            sent = self._scope.get("query_string", b"").decode("latin-1")
            self._query = MultiDict(parse_qsl(sent, keep_blank_values=True))
        return self._query

    @property
    def is_multiprocess(self) -> bool:
        """Whether the server has several processes; ASGI does not tell."""
        return False

    def owns(self, callback_context: Any) -> bool:
        """Say whether a callback context belongs to the request: the middleware begins without one."""
        return True

    def before_sending(self, change: Callable[[Response], None], *, may_block: bool = False) -> None:
        """Register a change of the response; the same one is applied once."""
        self._changes[change] = None
        self._may_block |= may_block

    def message(self) -> AsgiRequest:
        """Return the request of one message of this websocket."""
        return type(self)(self._scope, self.server, is_message=True)

    def end_message(self) -> None:
        """Apply the changes to nothing: the answer to a message has no headers."""
        self._changed([])

    async def send(self, send: Send, message: Message) -> None:
        """Send a message of the response, with the registered changes of its headers."""
        if message["type"] in ("http.response.start", "websocket.accept"):
            if self._changes:
                changed = partial(self._changed, message.get("headers") or [])
                message["headers"] = await threads.run(changed) if self._may_block else changed()
            self.is_answered = True
        await send(message)

    def _changed(self, sent: Any) -> list[tuple[bytes, bytes]]:
        headers = _decoded(sent)
        response = Response(headers)
        while self._changes:  # each of them may register more
            change = next(iter(self._changes))
            del self._changes[change]
            change(response)
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _decoded(sent: Iterable[tuple[bytes, bytes]]) -> Headers:
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent])


def _path_below_mount(scope: Scope) -> str:
    path: str = scope["path"]
    mount = scope.get("root_path", "").rstrip("/")
    return path[len(mount) :] or "/" if mount and f"{path}/".startswith(f"{mount}/") else path


@dataclass(eq=False)
class Rules:
    """What the middleware does with the requests of one server."""

    request: type[AsgiRequest]
    #: Called in the context of each request, before anything else.
    begin: Callable[[], None]
    #: Routes whose responses no shared cache may keep.
    private: set[str] = field(default_factory=set)
    #: Route and header to the number of bytes that a request with them may have.
    bounds: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Path to what answers requests to it.
    answers: dict[str, Callable[[Request], Answer]] = field(default_factory=dict)
    #: Whether the apps of the server are set up for websockets.
    is_set_up: bool = False

    def most_bytes(self, request: AsgiRequest) -> int | None:
        """Return how long the body of a request may be."""
        for (route, header), nbytes in self.bounds.items():
            if request.path.endswith(route) and header in request.headers:
                return nbytes
        return None


_rules: WeakKeyDictionary[Any, Rules] = WeakKeyDictionary()


def note(server: Any, rules: Rules) -> bool:
    """Note the rules of a server, and say whether it had none."""
    return _rules.setdefault(server, rules) is rules


def bound_bodies(server: Any, route: str, header: str, nbytes: int) -> None:
    """Refuse longer requests to a route that have this header."""
    _rules[server].bounds[route, header] = nbytes


def answer_at(server: Any, path: str, function: Callable[[Request], Answer]) -> None:
    """Answer requests to a path by a function that may block."""
    _rules[server].answers[path] = function


def keep_private(server: Any, route: str) -> None:
    """Forbid shared caches to keep responses of a route."""
    _rules[server].private.add(route)


class Middleware:
    """Makes each request of a server the current one while it is served."""

    def __init__(self, app: App, server: Any) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._set_up(scope)
        ours = _rules[self._server]
        request = ours.request(scope, self._server)
        with overridden(served, request):
            ours.begin()
            if request.path in ours.answers and scope["type"] == "http":
                await _send(send, await threads.run(partial(ours.answers[request.path], request)))
                return
            if request.path.endswith(tuple(ours.private)):
                request.before_sending(_keep_private)
            most = ours.most_bytes(request)
            if most is not None:
                body = await _read(receive, most)
                if body is None:
                    await _send(send, Answer(413))
                    return
                receive = _replay(body, receive)
            await self._app(scope, receive, partial(request.send, send))

    async def _set_up(self, scope: Scope) -> None:
        """Send a request by HTTP before the first websocket: Dash sets apps up in such a one only.

        Until then it knows of no callback that may be called over a websocket, and answers nothing.
        """
        path, ours = scope["path"], _rules[self._server]
        if path.endswith(_SOCKET) and not ours.is_set_up:
            path = path.removesuffix(_SOCKET) + "_dash-dependencies"
            scheme = scope.get("scheme", "ws").replace("ws", "http")
            asked = {**scope, "type": "http", "method": "GET", "scheme": scheme, "extensions": {}}
            asked |= {"path": path, "raw_path": path.encode(), "query_string": b""}
            await self(asked, _nothing_more(), _ignore)
            ours.is_set_up = True


def _nothing_more() -> Receive:
    """Return what receives an empty body, and then nothing until the request is over."""
    body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        while not body:
            await asyncio.sleep(3600)
        return body.pop()

    return receive


async def _ignore(message: Message) -> None:
    pass


def _keep_private(response: Response) -> None:
    response.keep_private()


def begin_message() -> None:
    """Make a message of the websocket that is being served the current request."""
    request = served.get()
    if request is not None:
        served.set(request.message())


def end_message() -> None:
    """End the message that is the current request, if it is one."""
    request = served.get()
    if request is not None and request.is_message:
        request.end_message()


async def _read(receive: Receive, most: int) -> bytes | None:
    """Return the body of a request, None if it is longer than allowed."""
    body, goes_on = b"", True
    while goes_on:
        message = await receive()
        body += message.get("body", b"")
        goes_on = message.get("more_body", False)
        if len(body) > most:
            return None
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that begins with a body that has been read."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _send(send: Send, answer: Answer) -> None:
    body = answer.text.encode()
    headers = {**answer.headers(), "Content-Length": str(len(body))}
    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
