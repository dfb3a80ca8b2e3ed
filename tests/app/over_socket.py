"""Callbacks over a websocket of an ASGI app in this process."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from werkzeug.test import create_environ

from dash_brain.testing.clients import scope_of
from tests.app.conftest import Page

#: What opens a socket.
_CONNECT = {"type": "websocket.connect"}
_DISCONNECT = {"type": "websocket.disconnect", "code": 1000}


class Socket:
    """A socket with the cookies that its page has now, as a browser keeps it while they change."""

    def __init__(self, page: Page, server: Any) -> None:
        self._page, self._server = page, server
        environ = create_environ("/_dash-ws-callback")
        page.client._add_cookies_to_wsgi(environ)
        scope = scope_of(environ)
        headers = [*scope["headers"], (b"origin", b"http://localhost")]
        self._scope = {**scope, "type": "websocket", "scheme": "ws", "headers": headers, "subprotocols": []}

    def call(self, output: str, trigger: str) -> Any:
        """Call a callback with one output and input, and return the answer or what closed the socket."""
        names = (output, trigger)
        out, inner = (dict(zip(("id", "property"), name.split("."), strict=True)) for name in names)
        value = self._page.props.get(inner["id"], {}).get(inner["property"])
        payload = {
            "output": output,
            "outputs": out,
            "inputs": [{**inner, "value": value}],
            "changedPropIds": [trigger],
        }
        sent = {"type": "callback_request", "requestId": "1", "rendererId": "r", "payload": payload}
        return asyncio.run(self._exchange({"type": "websocket.receive", "text": json.dumps(sent)}))

    async def _exchange(self, message: dict[str, Any]) -> Any:
        waiting, answer = [_CONNECT, message], asyncio.get_running_loop().create_future()

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop(0)
            await asyncio.wait([answer])
            return _DISCONNECT

        async def send(message: Any) -> None:
            found = _answer_in(message)
            if found is not None and not answer.done():
                answer.set_result(found)

        await asyncio.wait_for(self._server(self._scope, receive, send), 60)
        return answer.result()


def _answer_in(message: Any) -> Any:
    """Return what a server sends to end a call, None for what else it sends."""
    if message["type"] == "websocket.close":
        return message["code"]
    told = json.loads(message.get("text") or "[]")
    sent = told if isinstance(told, list) else [told]
    answers = [one["payload"] for one in sent if one["type"] == "callback_response"]
    return next((one for one in answers if one.get("done") or not one.get("stream")), None)
