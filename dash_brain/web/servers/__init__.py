"""The servers that an app may run on: one interface to the current request and its response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType

from dash_brain.web.servers import fastapi, flask, quart
from dash_brain.web.servers.asgi import begin_message, end_message
from dash_brain.web.servers.base import Answer, Request, Response
from dash_brain.web.servers.flask import current_request
from dash_brain.web.servers.threads import threads

__all__ = [
    "Answer",
    "Request",
    "Response",
    "answer_at",
    "begin_message",
    "bound_bodies",
    "current_request",
    "end_message",
    "has_served",
    "hide_request",
    "install",
    "is_asgi",
    "keep_private",
    "threads",
]

_KINDS: tuple[ModuleType, ...] = (flask, fastapi, quart)


def _kind_of(server: object) -> ModuleType | None:
    return next((kind for kind in _KINDS if kind.serves(server)), None)


def is_asgi(server: object) -> bool:
    """Say whether a server is one of ASGI, whose callbacks share an event loop."""
    return _kind_of(server) in (fastapi, quart)


def has_served(server: object) -> bool:
    """Say whether a server has served a request, or is none that is known here."""
    kind = _kind_of(server)
    return kind is None or kind.has_served(server)


def install(server: object, begin: Callable[[], None]) -> None:
    """Make :func:`current_request` know the requests of a server; ``begin`` is called first in each."""
    kind = _kind_of(server)
    if kind is not None:
        kind.install(server, begin)


def bound_bodies(server: object, route: str, header: str, nbytes: int) -> None:
    """Refuse longer requests to a route that have this header, before their body is read."""
    kind = _kind_of(server)
    if kind is not None:
        kind.bound_bodies(server, route, header, nbytes)


def answer_at(server: object, path: str, function: Callable[[Request], Answer]) -> None:
    """Answer requests to a path by a function that may block."""
    kind = _kind_of(server)
    if kind is not None:
        kind.answer_at(server, path, function)


def keep_private(server: object, route: str) -> None:
    """Forbid shared caches to keep responses of a route, named as :attr:`Request.route`."""
    kind = _kind_of(server)
    if kind is not None:
        kind.keep_private(server, route)


@contextmanager
def hide_request() -> Iterator[None]:
    """Make what identifies the caller in the objects of servers raise, while the block runs."""
    with ExitStack() as entered:
        for kind in _KINDS:
            entered.enter_context(kind.hide_request())
        yield
