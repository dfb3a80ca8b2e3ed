"""A test client of apps on ASGI servers: that of Werkzeug, which tests of Flask use too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any

import pytest
from werkzeug.test import Client

from dash_brain.testing.clients import scope_of

Messages = list[dict[str, Any]]


def client_of(server: Any) -> Any:
    """Return a client that speaks to a server in this process, whatever its kind."""
    if hasattr(server, "wsgi_app"):
        return server.test_client()
    asyncio.run(_exchange(server, {"type": "lifespan"}, [{"type": "lifespan.startup"}]))
    return AsgiClient(as_wsgi(server))


def set_up(server: Any) -> None:
    """Have Dash set its app up now, and not in a worker's first request by HTTP: it closes websockets before.

    In a thread, because a server may import its app on the event loop.
    """
    thread = Thread(target=lambda: client_of(server).get("/_dash-dependencies"))
    thread.start()
    thread.join()


class AsgiClient(Client):
    """Werkzeug's client, which unlike Flask's does not keep a request open."""

    def __enter__(self) -> None:
        pytest.skip("needs a request of Flask that stays open")

    def __exit__(self, *_: object) -> None:
        pass


def as_wsgi(server: Any) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI app that passes each request on to an ASGI app, on an event loop of its own."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = {"type": "http.request", "body": environ["wsgi.input"].read(), "more_body": False}
        try:
            sent = asyncio.run(_exchange(server, scope_of(environ), [body]))
        except Exception:  # as a server answers
            start_response("500 -", [])
            return []
        start = next(message for message in sent if message["type"] == "http.response.start")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "application/json"))  # Dash 4.4 sends none with FastAPI
        start_response(f"{start['status']} -", headers)
        return [message.get("body", b"") for message in sent if message["type"] == "http.response.body"]

    return app


async def _exchange(server: Any, scope: dict[str, Any], messages: Messages) -> Messages:
    """Send messages to an ASGI app, and return what it sends."""
    sent: Messages = []
    answered = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        if scope["type"] == "lifespan":
            return {"type": "lifespan.shutdown"}
        await answered.wait()  # the client stays until then
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    await server(scope, receive, send)
    return sent
