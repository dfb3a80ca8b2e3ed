"""Pages without a browser: what dash-renderer and our script send, over real connections to real workers."""

from __future__ import annotations

import http.client
import json
import random
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

#: Seconds that a request may take before we say that the app stands still.
PATIENCE = 60.0

#: After so many requests a connection is made anew, so that sessions wander over the workers.
ON_ONE_LINE = 40

#: The cookie that says who is logged in.
USER = "torture_user"

#: Stores of which a page may send as many as it likes; each bad token becomes the name of its error.
FORGIVING = "forgiving"

BROKEN = (http.client.HTTPException, ConnectionError)


#: What our script sends with a claim.
OURS = {"X-Dash-Brain": "claim"}


def as_callback(claim: str) -> str:
    """Return the body of the request that a claim travels in: that of a callback."""
    told = {"id": "_dash-brain-claim", "property": "claim", "value": claim}
    output = {"id": "_dash-brain-claim", "property": "data"}
    return json.dumps(
        {
            "output": "_dash-brain-claim.data",
            "outputs": output,
            "inputs": [told],
            "changedPropIds": [],
            "state": [],
        }
    )


class Line:
    """A keep-alive connection that comes back when its worker is killed. Used by one thread at a time.

    Parameters
    ----------
    url
        Where gunicorn listens.
    stubborn
        Send a request again when the connection broke, as a user would reload: for tests that kill.
    """

    def __init__(self, url: str, *, stubborn: bool = False) -> None:
        self.url = url
        self._stubborn = stubborn
        self._connection: http.client.HTTPConnection | None = None
        self._left = 0
        self.broken = 0

    def ask(
        self, method: str, path: str, body: Callable[[], str] | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Return status, headers and body of the answer; the body is made anew for each attempt."""
        end = time.monotonic() + PATIENCE
        while True:
            fresh = self._connection is None or self._left <= 0
            try:
                return self._ask(method, path, body() if body else None, headers)
            except BROKEN:
                self.close()
                self.broken += 1
                # An idle connection may have been closed by the server, which says nothing about it.
                if (fresh and not self._stubborn) or time.monotonic() > end:
                    raise
                time.sleep(0.02 if self.broken % 3 == 0 else 0)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
        if self._left <= 0:
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
            self._left = random.randint(ON_ONE_LINE // 2, ON_ONE_LINE)
        self._left -= 1
        if body is not None:
            headers = {"Content-Type": "application/json", **headers}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.will_close:
            self.close()
        return response.status, response.headers, content

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def __del__(self) -> None:
        self.close()


class Page:
    """One page of one browser session.

    Parameters
    ----------
    line
        What it is asked over; pages may share one, and change it.
    like
        A page of the same browser, whose cookie this one sends.
    user
        Who is logged in: another session of that browser than the one of nobody.
    """

    def __init__(self, line: Line, *, like: Page | None = None, user: str | None = None) -> None:
        self.line = line
        self.id = secrets.token_hex(16)
        self.session = like.session if like is not None else None
        self.user = user
        self.held: dict[str, str] = {}
        self.dropped: list[str] = []
        self.turn = 0

    @property
    def cookie(self) -> str | None:
        """What the browser sends: who it is, and who is logged in."""
        user = f"{USER}={self.user}" if self.user else None
        return "; ".join(filter(None, [self.session, user])) or None

    def open(self) -> Page:
        """Load the page, with the cookie of the session or for a new one."""
        sent = self._sent_by("/")
        assert sent, "a page brings its cookie"
        if self.session is None:
            self.session = sent
        assert sent == self.session, "the session goes on"
        return self

    def leave(self) -> None:
        """Close the session and begin another."""
        # Who asks once more, because the worker died with its answer, has to reload the page.
        self.session = self._sent_by("/close")
        self.open()

    def _sent_by(self, path: str) -> str | None:
        status, headers, _ = self.line.ask("GET", path, **self._cookies())
        assert status == 200, status
        return (headers.get("Set-Cookie") or "").split(";")[0] or None

    def fire(self, outputs: str, inputs: dict[str, Any], state: tuple[str, ...] = ()) -> dict[str, Any]:
        """Fire a callback and return what it changed, tokens apart: ``{"told.children": …}``.

        Parameters
        ----------
        outputs
            Its outputs, blank-separated: ``"value.data told.children"``.
        inputs
            What changed: property -> value.
        state
            ServerStores whose tokens go along.
        """
        return self._fired(self.body(outputs, inputs, state))

    def _fired(self, body: str) -> dict[str, Any]:
        status, _, content = self.line.ask("POST", "/_dash-update-component", lambda: body, **self._cookies())
        assert status == 200, (status, content[-300:])
        return self._take(json.loads(content)["response"])

    def body(self, outputs: str, inputs: dict[str, Any], state: tuple[str, ...] = ()) -> str:
        """Return the body of the request that fires a callback."""
        specs = [_spec(name) for name in outputs.split()]
        told = {
            "output": outputs if len(specs) == 1 else f"..{outputs.replace(' ', '...')}..",
            "outputs": specs[0] if len(specs) == 1 else specs,
            "inputs": [{**_spec(name), "value": value} for name, value in inputs.items()],
            "changedPropIds": list(inputs),
            "state": [{"id": name, "property": "data", "value": self.held.get(name)} for name in state],
        }
        return json.dumps(told)

    def _take(self, changes: dict[str, Any]) -> dict[str, Any]:
        told = {}
        for component, props in changes.items():
            for prop, value in props.items():
                if isinstance(value, str) and value.startswith("db1."):
                    self.hold(component, value)
                else:
                    told[f"{component}.{prop}"] = value
        return told

    def hold(self, store: str, token: str | None) -> None:
        """Have a token in a store, in place of what was there."""
        before = self.held.pop(store, None)
        if before is not None:
            self.dropped.append(before)
        if token is not None:
            self.held[store] = token

    def claim(self, state: str = "open") -> list[int]:
        """Say what the page holds, as our script does; return which of it is dead."""
        headers = {**self._cookies(), **OURS}
        status, _, content = self.line.ask(
            "POST", "/_dash-update-component", lambda: as_callback(self.claim_body(state)), **headers
        )
        assert status == 200, (status, content[-300:])
        self.dropped = []
        return list(json.loads(content)["dead"])

    def claim_body(self, state: str) -> str:
        """Return the body of the page's next claim."""
        self.turn += 1
        held = [
            {"id": name, "mark": "", "token": token, "kind": "memory"} for name, token in self.held.items()
        ]
        told = {"page": self.id, "turn": self.turn, "state": state, "held": held, "dropped": self.dropped}
        return json.dumps(told)

    def close(self) -> None:
        """Close the tab."""
        self.claim("gone")

    def exchange(self, mark: str, serial: int, nbytes: int = 0, *, way: str = "", keep: bool = False) -> Any:
        """Hand the value of ``value<way>`` over, get the next one, and return what was told."""
        order = {"mark": mark, "serial": serial, "bytes": nbytes, "keep": keep}
        outputs = f"value{way}.data told{way}.children"
        return self.fire(outputs, {f"order{way}.value": order}, (f"value{way}",))[f"told{way}.children"]

    def shown(self, tokens: list[Any]) -> list[Any]:
        """Show many tokens to one callback; return what it made of each."""
        stores = [
            {"id": {FORGIVING: i}, "property": "data", "value": token} for i, token in enumerate(tokens)
        ]
        body = {
            "output": "seen-all.children",
            "outputs": _spec("seen-all.children"),
            "inputs": [stores],
            "changedPropIds": [],
            "state": [],
        }
        return list(self._fired(json.dumps(body))["seen-all.children"])

    def _cookies(self) -> dict[str, str]:
        return {} if self.cookie is None else {"Cookie": self.cookie}


def _spec(name: str) -> dict[str, str]:
    component, _, prop = name.rpartition(".")
    return {"id": component, "property": prop}
