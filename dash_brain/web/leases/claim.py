"""A claim: the list of tokens that a page holds, as its script sends it."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from dash_brain.errors import BadId, BrainError
from dash_brain.web.component_ids import canonical_sent
from dash_brain.web.component_ids import parse as parse_id

#: The most stores and bytes of a claim that our script sends.
MOST_STORES = 1000
MOST_BYTES = 512 * 1024

#: Where a browser keeps a token, from the shortest time to the longest.
KINDS = ("memory", "session", "local")

_PAGE = re.compile(r"[0-9a-f]{32}")
_STATES = ("open", "parked", "gone")


class BadClaim(BrainError, ValueError):
    """The request has no valid claim."""


class HeldToken(NamedTuple):
    """One ServerStore of a page: its id, the proof that it is one, its token, and the kind of its storage."""

    id: str | dict[str, Any]
    mark: str
    token: str | None
    kind: str

    @property
    def name(self) -> str:
        """The canonical text of the id; of a dict the browser gives components the text."""
        return _name(self.id)


class Claim(NamedTuple):
    """The tokens that a page holds at its n-th claim, and those that it dropped since the last one.

    ``state``: the page is ``open``, is ``parked`` in the browser's back/forward cache, or is ``gone``.
    """

    page: str
    turn: int
    state: str
    held: list[HeldToken]
    dropped: list[str]


def parse(told: object) -> Claim:
    """Parse a claim from JSON.

    Raises
    ------
    BadClaim
        For everything that our script does not send.
    """
    try:
        said: Any = json.loads(told) if isinstance(told, str) and len(told) <= MOST_BYTES else None
        held = [HeldToken(one["id"], one["mark"], one["token"], one["kind"]) for one in said["held"]]
        claim = Claim(said["page"], said["turn"], said["state"], held, list(said["dropped"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadClaim("The claim is not in the form that our script sends.") from error
    if not (_is_sound(claim) and all(map(_is_held_token, held))):
        raise BadClaim("The claim has a page, a state or a store that our script does not send.")
    return claim


def _is_sound(claim: Claim) -> bool:
    page = isinstance(claim.page, str) and _PAGE.fullmatch(claim.page)
    known = type(claim.turn) is int and claim.state in _STATES
    return bool(page) and known and len(claim.held) + len(claim.dropped) <= MOST_STORES


def _is_held_token(held: HeldToken) -> bool:
    return _is_id(held.id) and isinstance(held.mark, str) and held.kind in KINDS


def _is_id(component_id: object) -> bool:
    try:
        _name(component_id)
    except BadId:
        return False
    return True


def _name(component_id: object) -> str:
    return canonical_sent(parse_id(component_id) if isinstance(component_id, str) else component_id)
