"""One process that is lied to: the app without a server, spies that see what it does, and a thief's pages."""

from __future__ import annotations

import http.cookies
import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flask

from dash_brain.web.sessions import current_caller
from tests.torture import served
from tests.torture.pages import Page


class InProcess:
    """What a page asks over, without a socket: the same as :class:`~tests.torture.pages.Line`."""

    def __init__(self, server: flask.Flask) -> None:
        self._client = server.test_client(use_cookies=False)

    def ask(self, method: str, path: str, body: Callable[[], str] | None = None, **headers: str) -> Any:
        """Return status, headers and body of the answer."""
        data = body() if body else None
        told = {"Content-Type": "application/json"} if body else {}
        # What is not Latin-1 travels as the bytes of UTF-8, as from a browser.
        headers = {name: _on_the_wire(value) for name, value in {**told, **headers}.items()}
        response = self._client.open(path, method=method, data=data, headers=headers)
        return response.status_code, response.headers, response.data


def _on_the_wire(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1").replace("\r", " ").replace("\n", " ")


def page_of(server: flask.Flask, *, like: Page | None = None, user: str | None = None) -> Page:
    """Return an open page of a new session, or of the same browser as another page."""
    return Page(InProcess(server), like=like, user=user).open()  # type: ignore[arg-type]


@contextmanager
def unpickled(monkeypatch: Any) -> Iterator[list[bytes]]:
    """Note every stream that is unpickled while the block runs."""
    streams: list[bytes] = []
    loads, unpickler = pickle.loads, pickle.Unpickler

    def spy(data: Any, **options: Any) -> Any:
        streams.append(bytes(data))
        return loads(data, **options)

    class Spy(unpickler):  # type: ignore[misc,valid-type]
        def __init__(self, file: Any, **options: Any) -> None:
            streams.append(file.getvalue() if isinstance(file, io.BytesIO) else b"a file")
            super().__init__(file, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pickle, "loads", spy)
        patch.setattr(pickle, "Unpickler", Spy)
        yield streams


@contextmanager
def failures(server: flask.Flask) -> Iterator[list[str]]:
    """Note the type of every exception that a request ended with while the block runs."""
    types: list[str] = []

    def note(sender: Any, exception: Exception, **_: Any) -> None:
        types.append(type(exception).__name__)

    with flask.got_request_exception.connected_to(note, server):
        yield types


def cookie_parts(cookie: str) -> tuple[str, str]:
    """Return name and value of a ``Cookie`` header with one cookie."""
    ((name, morsel),) = http.cookies.SimpleCookie(cookie).items()
    return name, morsel.value


def visit_of(page: Page) -> Any:
    """Return who asks when the page asks."""
    with served.server.test_request_context("/_dash-layout", headers={"Cookie": str(page.cookie)}):
        return current_caller()
