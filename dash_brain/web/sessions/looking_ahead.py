"""One round trip to a store across a network for everything that a callback reads.

Whether the session is closed, and which of the values exist, is asked in one question: otherwise each would
be a round trip of its own. The answers are used for this request only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from dash_brain.common.signing import KeyRing
from dash_brain.errors import BadToken
from dash_brain.settings import current
from dash_brain.stores.base import Place
from dash_brain.web import tokens
from dash_brain.web.dash_internals import callback_context
from dash_brain.web.servers import Request, Response


def look_ahead(request: Request, notes: Iterable[Place], keys: KeyRing, spaces: Mapping[str, str]) -> None:
    """Ask for some notes, and for the values of the tokens that came with a request.

    ``spaces`` has the namespace of each scope, for the caller that the request seems to have.
    """
    request.before_sending(_forget)
    current.use().store.look_ahead(list(dict.fromkeys([*notes, *_values(keys, spaces)])))


def _values(keys: KeyRing, spaces: Mapping[str, str]) -> Iterator[Place]:
    context = callback_context() or {}
    for leaf in _leaves([context.get("inputs_list"), context.get("states_list")]):
        with suppress(BadToken):
            yield tokens.verify(keys, spaces, leaf.get("value"))


def _leaves(sent: Any) -> Iterator[dict[str, Any]]:
    if isinstance(sent, dict):
        yield sent
    elif isinstance(sent, list):
        for one in sent:
            yield from _leaves(one)


def _forget(_: Response) -> None:
    current.use().store.look_ahead(())
