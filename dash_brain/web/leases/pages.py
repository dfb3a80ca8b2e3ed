"""Which pages hold which objects.

Dash drops responses that a newer one superseded, tabs are cloned, a token can sit in two stores: whoever
only listens for what was released leaks or deletes too much. So each page says what it holds *now*: a
claim. What no page of the session claims any more lives for a grace.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dash_brain.errors import BadToken, StoreError, ValueMissing
from dash_brain.settings import current
from dash_brain.stores.base import needs_scan
from dash_brain.web import tokens
from dash_brain.web.exchange import registry
from dash_brain.web.ids import canonical
from dash_brain.web.leases import LEASE, PARKED
from dash_brain.web.leases.claim import KINDS, Claim, Held
from dash_brain.web.leases.holders import Holders
from dash_brain.web.memo import recipes
from dash_brain.web.sessions import Visit

#: A session with more pages is none of ours. Below what a store keeps of notes: it would drop the oldest.
MOST_PAGES = 240

_LABEL = "mark"


def mark(visit: Visit, component_id: str | dict[str, Any]) -> str:
    """Return the proof that a component is a ServerStore of this app, for its page to show."""
    return current.use().keys.newest.signature(_LABEL, visit.app_id, canonical(component_id))


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
        name = held.name
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
            kinds[one] = max(held.kind, kinds.get(one, held.kind), key=KINDS.index)
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
