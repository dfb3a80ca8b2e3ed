"""Which pages hold which objects.

Dash drops responses that a newer one superseded, tabs are cloned, a token can sit in two stores: whoever
only listens for what was released leaks or deletes too much. So each page says what it holds *now*. A
claim is a lease: it lets an object live on for a while, and what no page of the session claims any more
lives for a grace. The ttl of the objects does the rest; nothing has to walk over sessions.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, NamedTuple

from dash_brain import tokens
from dash_brain.errors import BadId, BadToken, BrainError, StoreError, ValueMissing
from dash_brain.exchange import LEASE, registry
from dash_brain.holders import Holders
from dash_brain.ids import canonical, sent
from dash_brain.ids import read as read_id
from dash_brain.memoizing import recipes
from dash_brain.sessions import Visit
from dash_brain.settings import current
from dash_brain.stores.base import needs_scan

#: A page with more stores, a session with more pages, a longer claim: none of that is ours.
MOST_STORES = 1000
MOST_PAGES = 200
MOST_BYTES = 512 * 1024

#: Seconds that a page's objects live on in the back/forward cache; browsers keep pages about that long.
PARKED = 600.0

_PAGE = re.compile(r"[0-9a-f]{32}")
_KINDS = ("memory", "session", "local")
_STATES = ("open", "parked", "gone")
_LABEL = "mark"


class BadClaim(BrainError, ValueError):
    """What was posted is no claim."""


class Held(NamedTuple):
    """One ServerStore of a page: its id, the proof that it is one, its token, and where that is kept."""

    id: str | dict[str, Any]
    mark: str
    token: str | None
    kind: str


class Claim(NamedTuple):
    """What a page holds at its n-th turn, and the tokens that it dropped since the last one.

    ``state``: the page is ``open``, is ``parked`` in the browser's back/forward cache, or is ``gone``.
    """

    page: str
    turn: int
    state: str
    held: list[Held]
    dropped: list[str]


def mark(visit: Visit, component_id: str | dict[str, Any]) -> str:
    """Return the proof that a component is a ServerStore of this app, for its page to show."""
    return current.use().keys.newest.signature(_LABEL, visit.app_id, canonical(component_id))


def read(body: bytes) -> Claim:
    """Return the claim in a request's body.

    Raises
    ------
    BadClaim
        For everything that our script would not have sent.
    """
    try:
        told: Any = json.loads(body) if len(body) <= MOST_BYTES else None
        held = [Held(one["id"], one["mark"], one["token"], one["kind"]) for one in told["held"]]
        claim = Claim(told["page"], told["turn"], told["state"], held, list(told["dropped"]))
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
    return _is_id(held.id) and isinstance(held.mark, str) and held.kind in _KINDS


def _is_id(component_id: object) -> bool:
    try:
        _name(component_id)
    except BadId:
        return False
    return True


def _name(component_id: object) -> str:
    """Return the canonical text of an id: to its component the browser shows that of a dict as text."""
    return sent(read_id(component_id) if isinstance(component_id, str) else component_id)


def accept(visit: Visit, claim: Claim) -> list[int]:
    """Let what the page holds live on, and what it holds no more die.

    Parameters
    ----------
    visit
        Who claims. A claim reaches the objects of its own session only.
    claim
        What the page holds now.

    Returns
    -------
    list of int
        Places in ``claim.held`` of tokens that are dead: the page should clear them.
    """
    _register(visit, claim.held)
    found = [_verified(visit, held.token) for held in claim.held]
    if visit.session is None:  # it was closed, and the page has no other
        return [i for i, held in enumerate(claim.held) if held.token is not None and found[i] is None]
    holders = Holders(visit)
    with holders.lock():
        if holders[claim.page].get("turn", -1) >= claim.turn:
            return []  # overtaken by a later claim of the page
        kinds = _kinds(found, claim.held)
        living = {one for one, kind in kinds.items() if _lease(visit, one, kind)}
        own = {one.object_id: kinds[one] for one in living if one.namespace == holders.objects}
        dropped = (_verified(visit, token) for token in claim.dropped)
        _hold(holders, claim, own, {one.object_id for one in dropped if one is not None})
    _keep_names(visit)
    return [i for i, held in enumerate(claim.held) if held.token is not None and found[i] not in living]


def _register(visit: Visit, stores: list[Held]) -> None:
    """Enter the ids of the page's stores anew, should the registry have lost them."""
    for held in stores:
        name = _name(held.id)
        if any(key.signs(held.mark, _LABEL, visit.app_id, name) for key in current.use().keys):
            registry(visit).add(name)


def _verified(visit: Visit, token: object) -> tokens.Verified | None:
    """Return where the object of a token lies, None for what is no token of this visit."""
    with suppress(BadToken):
        return tokens.verify(current.use().keys, visit.namespaces, token)
    return None


def _kinds(found: list[tokens.Verified | None], stores: list[Held]) -> dict[tokens.Verified, str]:
    """Return how each object is kept; of several ways the one that keeps it longest."""
    kinds: dict[tokens.Verified, str] = {}
    for one, held in zip(found, stores, strict=True):
        if one is not None:
            kinds[one] = max(held.kind, kinds.get(one, held.kind), key=_KINDS.index)
    return kinds


def _lease(visit: Visit, found: tokens.Verified, kind: str) -> bool:
    """Let an object live on, and say whether it does; False when it is gone."""
    settings = current.use()
    if recipes.is_memoized(found):
        return recipes.lease(settings.store, found, LEASE)
    leased = found.namespace == visit.namespace("session") and kind != "local"
    try:
        settings.store.touch(*found, LEASE if leased else settings.session_ttl)
    except ValueMissing:
        return False
    return True


def _hold(holders: Holders, claim: Claim, kinds: dict[str, str], dropped: set[str]) -> None:
    """Note that the page holds these objects, and let go of what it held before or dropped."""
    let_go = (holders[claim.page].get("held", {}).keys() | dropped) - kinds.keys()
    if claim.state != "open":
        # A token in localStorage comes back with the next page, be it tomorrow.
        let_go |= {name for name, kind in kinds.items() if kind != "local"}
    known = list(holders)
    if claim.page in known or len(known) < MOST_PAGES:
        _note(holders, claim, kinds)
    if len(known) < MOST_PAGES:  # else not all pages are noted: what this one lets go of, another may hold
        ttl = PARKED if claim.state == "parked" else holders.settings.grace
        holders.let_go(let_go, ttl, claim.page)


def _note(holders: Holders, claim: Claim, kinds: dict[str, str]) -> None:
    # A page that is gone holds nothing; its turn is kept for a while: a claim may still be under way.
    held = {} if claim.state == "gone" else kinds
    ttl = {"open": LEASE, "parked": PARKED, "gone": holders.settings.grace}[claim.state]
    with suppress(StoreError):  # a full store must not keep us from letting go
        holders.note(claim.page, {"turn": claim.turn, "held": held}, ttl)


def _keep_names(visit: Visit) -> None:
    """Let what the session keeps by name live on while a page is open."""
    settings = current.use()
    for name in needs_scan(settings.store).scan(visit.names):
        with suppress(ValueMissing):
            settings.store.touch(visit.names, name, settings.session_ttl)
