"""What a page says that it holds, as its script writes it."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from dash_brain.errors import BadId, BrainError
from dash_brain.web.ids import read as read_id
from dash_brain.web.ids import sent

#: A page with more stores, a longer claim: none of that is ours.
MOST_STORES = 1000
MOST_BYTES = 512 * 1024

#: How a browser keeps a token; what comes later keeps it longer.
KINDS = ("memory", "session", "local")

_PAGE = re.compile(r"[0-9a-f]{32}")
_STATES = ("open", "parked", "gone")


class BadClaim(BrainError, ValueError):
    """What was posted is no claim."""


class Held(NamedTuple):
    """One ServerStore of a page: its id, the proof that it is one, its token, and where that is kept."""

    id: str | dict[str, Any]
    mark: str
    token: str | None
    kind: str

    @property
    def name(self) -> str:
        """The canonical text of the id: to its component the browser shows that of a dict as text."""
        return _name(self.id)


class Claim(NamedTuple):
    """What a page holds at its n-th turn, and the tokens that it dropped since the last one.

    ``state``: the page is ``open``, is ``parked`` in the browser's back/forward cache, or is ``gone``.
    """

    page: str
    turn: int
    state: str
    held: list[Held]
    dropped: list[str]


def read(told: object) -> Claim:
    """Return the claim that a page has written as JSON.

    Raises
    ------
    BadClaim
        For everything that our script would not have sent.
    """
    try:
        said: Any = json.loads(told) if isinstance(told, str) and len(told) <= MOST_BYTES else None
        held = [Held(one["id"], one["mark"], one["token"], one["kind"]) for one in said["held"]]
        claim = Claim(said["page"], said["turn"], said["state"], held, list(said["dropped"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadClaim("This is no claim.") from error
    if not (_is_sound(claim) and all(map(_is_held, held))):
        raise BadClaim("This is no claim of a page.")
    return claim


def _is_sound(claim: Claim) -> bool:
    page = isinstance(claim.page, str) and _PAGE.fullmatch(claim.page)
    known = type(claim.turn) is int and claim.state in _STATES
    return bool(page) and known and len(claim.held) + len(claim.dropped) <= MOST_STORES


def _is_held(held: Held) -> bool:
    return _is_id(held.id) and isinstance(held.mark, str) and held.kind in KINDS


def _is_id(component_id: object) -> bool:
    try:
        _name(component_id)
    except BadId:
        return False
    return True


def _name(component_id: object) -> str:
    return sent(read_id(component_id) if isinstance(component_id, str) else component_id)
