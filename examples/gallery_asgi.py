"""The gallery on an ASGI server: examples on FastAPI or Quart, beside the plain-Dash originals on Flask."""

import asyncio
import os
from threading import Thread

from a2wsgi import WSGIMiddleware
from backend import BACKEND
from dash._get_app import app_context


class Gallery:
    """Passes each request on to the app below whose address it came.

    Parameters
    ----------
    mounts
        Address to ASGI app.
    others
        A WSGI app, for everything else.
    """

    def __init__(self, mounts, others):
        self._mounts, self._others = mounts, WSGIMiddleware(others)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
            return
        app = self._mounts.get(f"/{scope['path'].split('/')[1]}")
        if app is None:
            await self._others(scope, receive, send)
            return

        async def tell_worker(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-worker", str(os.getpid()).encode())]
            await send(message)

        await app(scope, receive, tell_worker)


async def answer_lifespan(receive, send):
    """Tell the server that there is nothing to start, and nothing to end."""
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


def begin(app, address):
    """Return an ASGI app that tells Dash which app a request is for, when it has had its first one."""

    async def serve(scope, receive, send):
        app_context.set(app)
        await app.server(scope, receive, send)

    ask(serve, f"/{address}/_dash-dependencies")
    if BACKEND == "fastapi":
        tell_of_start(serve)
    return serve


def ask(server, path):
    """Send an app a request."""
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path}
    scope |= {"raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": []}
    scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1)}

    body = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        return body.pop() if body else await asyncio.Event().wait()  # who asks waits for the answer

    async def send(message):
        assert message.get("status", 200) == 200

    call(server, scope, receive, send)


def tell_of_start(server):
    """Tell an app that its server starts: on FastAPI Dash adds the addresses of its pages then."""
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return events.pop(0)

    async def send(message):
        assert message["type"].endswith("complete")

    call(server, {"type": "lifespan"}, receive, send)


def call(server, scope, receive, send):
    """Call an app; in a thread, because a server imports its app on the event loop."""
    scope |= {"asgi": {"version": "3.0"}, "state": {}}
    thread = Thread(target=lambda: asyncio.run(server(scope, receive, send)))
    thread.start()
    thread.join()
