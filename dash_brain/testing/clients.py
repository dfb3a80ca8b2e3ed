"""A client for the server of an app in this process, whatever its kind; no port is opened."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from werkzeug.test import Client

Message = dict[str, Any]


class Servers:
    """The servers of the apps of one test."""

    def __init__(self) -> None:
        self._asgi: list[tuple[Any, AsgiServer]] = []

    def client(self, server: Any) -> Client:
        """Return a client of a server, with cookies of its own."""
        return Client(server if hasattr(server, "wsgi_app") else self._serving(server))

    def _serving(self, app: Any) -> AsgiServer:
        for known, server in self._asgi:
            if known is app:
                return server
        self._asgi.append((app, AsgiServer(app)))
        return self._asgi[-1][1]

    def close(self) -> None:
        """Shut all down."""
        while self._asgi:
            self._asgi.pop()[1].close()


class AsgiServer:
    """A WSGI app that passes each request on to an ASGI app, on an event loop that all requests share."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dash_brain tests", daemon=True)
        self._thread.start()
        self._end = self._run(_event())
        self._lifespan = self._run(self._start_up())

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = {"type": "http.request", "body": environ["wsgi.input"].read(), "more_body": False}
        sent = self._run(self._exchange(scope_of(environ), body))
        start = next(message for message in sent if message["type"] == "http.response.start")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        start_response(f"{start['status']} -", headers)
        return [message.get("body", b"") for message in sent if message["type"] == "http.response.body"]

    def close(self) -> None:
        """Tell the app that its server ends, and end the event loop."""
        self._run(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do it on the loop, with the context variables of the caller."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start_up(self) -> asyncio.Task[Any]:
        """Tell the app that its server has started, and return what goes on until the server ends."""
        waiting: list[Message] = [{"type": "lifespan.startup"}]
        answered = asyncio.Event()

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await self._end.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Message) -> None:
            answered.set()

        lifespan = asyncio.create_task(self._app({"type": "lifespan"}, receive, send))
        lifespan.add_done_callback(lambda _: answered.set())  # an app need not know of lifespans
        await answered.wait()
        return lifespan

    async def _shut_down(self) -> None:
        self._end.set()
        await asyncio.wait([self._lifespan])
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()
        self._lifespan.cancelled() or self._lifespan.exception()  # else asyncio complains of it

    async def _exchange(self, scope: dict[str, Any], body: Message) -> list[Message]:
        """Send a request, and return the messages of the response."""
        waiting, sent, answered = [body], list[Message](), asyncio.Event()

        async def receive() -> Message:
            if not waiting:
                await answered.wait()  # the client stays until then
                return {"type": "http.disconnect"}
            return waiting.pop()

        async def send(message: Message) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set()

        await self._app(scope, receive, send)
        return sent


async def _event() -> asyncio.Event:
    return asyncio.Event()  # belongs to the loop that it is made on


def scope_of(environ: dict[str, Any]) -> dict[str, Any]:
    """Return the scope in which an ASGI app gets the request of a WSGI environment."""
    names = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
    headers = {
        name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"
    }
    headers |= {names[name]: environ[name] for name in names if environ.get(name)}
    path = environ["PATH_INFO"].encode("latin-1")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": path.decode(),
        "raw_path": path,
        "root_path": "",
        "query_string": environ["QUERY_STRING"].encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "state": {},
    }
