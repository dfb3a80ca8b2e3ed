"""Claims of pages.

Dash drops responses that a newer one superseded, tabs are cloned, and one token can be in two stores: events
like «released» alone would leak objects or delete too many. So each page claims all that it holds *now*. An
object that no page of the session claims any more lives for the grace.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dash_brain.errors import BadToken, StoreError, ValueMissing
from dash_brain.settings import current
from dash_brain.stores.base import needs_scan
from dash_brain.web import tokens
from dash_brain.web.component_ids import canonical
from dash_brain.web.component_registry import registry_of
from dash_brain.web.leases import LEASE, PARKED
from dash_brain.web.leases.claim import KINDS, Claim, HeldToken
from dash_brain.web.leases.holders import Holders
from dash_brain.web.recipes import recompute
from dash_brain.web.sessions import Caller

#: Pages of a session that are noted; fewer than a store keeps, which would drop the oldest note.
MOST_PAGES = 240

_LABEL = "mark"


def mark(caller: Caller, component_id: str | dict[str, Any]) -> str:
    """Return the signature by which a page proves that a component is a ServerStore of this app."""
    return current.use().keys.newest.signature(_LABEL, caller.app_id, canonical(component_id))


def accept(caller: Caller, claim: Claim) -> list[int]:
    """Renew the leases of what the page holds, and release what it does not hold any more.

    Parameters
    ----------
    caller
        The claimant. A claim affects the objects of its own session only.
    claim
        What the page holds now.

    Returns
    -------
    list of int
        Places in ``claim.held`` of tokens that are dead: the page should clear them.
    """
    _register(caller, claim.held)
    found = [_verified(caller, held.token) for held in claim.held]
    if caller.session is None:  # the session was closed, and the page has no other
        return [i for i, held in enumerate(claim.held) if held.token is not None and found[i] is None]
    holders = Holders(caller)
    with holders.lock():
        if holders[claim.page].get("turn", -1) >= claim.turn:
            return []  # overtaken by a later claim of the page
        kinds = _kinds(found, claim.held)
        living = {one for one, kind in kinds.items() if _lease(caller, one, kind)}
        own = {one.object_id: kinds[one] for one in living if one.namespace == holders.objects}
        dropped = (_verified(caller, token) for token in claim.dropped)
        _note_holdings(holders, claim, own, {one.object_id for one in dropped if one is not None})
    _keep_names(caller)
    return [i for i, held in enumerate(claim.held) if held.token is not None and found[i] not in living]


def _register(caller: Caller, stores: list[HeldToken]) -> None:
    """Register the ids of the page's stores again, in case the registry has lost them."""
    for held in stores:
        name = held.name
        if any(key.signs(held.mark, _LABEL, caller.app_id, name) for key in current.use().keys):
            registry_of(caller).add(name)


def _verified(caller: Caller, token: object) -> tokens.Verified | None:
    """Return where the object of a token lies; None when it is no valid token of this caller."""
    with suppress(BadToken):
        return tokens.verify(current.use().keys, caller.namespaces, token)
    return None


def _kinds(found: list[tokens.Verified | None], stores: list[HeldToken]) -> dict[tokens.Verified, str]:
    """Return the kind of storage of each object's token; of several the longest."""
    kinds: dict[tokens.Verified, str] = {}
    for one, held in zip(found, stores, strict=True):
        if one is not None:
            kinds[one] = max(held.kind, kinds.get(one, held.kind), key=KINDS.index)
    return kinds


def _lease(caller: Caller, found: tokens.Verified, kind: str) -> bool:
    """Renew the lease of an object, and say whether the object exists."""
    settings = current.use()
    if recompute.is_memoized(found):
        return recompute.lease(settings.store, found, LEASE)
    leased = found.namespace == caller.namespace("session") and kind != "local"
    try:
        settings.store.touch(*found, LEASE if leased else settings.session_ttl)
    except ValueMissing:
        return False
    return True


def _note_holdings(holders: Holders, claim: Claim, kinds: dict[str, str], dropped: set[str]) -> None:
    """Note the objects of the page, and release those that it held before or dropped."""
    let_go = (holders[claim.page].get("held", {}).keys() | dropped) - kinds.keys()
    if claim.state != "open":
        # A token in localStorage comes back with the next page, perhaps tomorrow.
        let_go |= {name for name, kind in kinds.items() if kind != "local"}
    known = list(holders)
    if claim.page in known or len(known) < MOST_PAGES:
        _note(holders, claim, kinds)
    if len(known) < MOST_PAGES:  # else some pages are not noted, which may hold what this one releases
        ttl = PARKED if claim.state == "parked" else holders.settings.grace
        holders.let_go(let_go, ttl, claim.page)


def _note(holders: Holders, claim: Claim, kinds: dict[str, str]) -> None:
    # A page that is gone holds nothing. Its turn is kept for a while: an older claim may still arrive.
    held = {} if claim.state == "gone" else kinds
    ttl = {"open": LEASE, "parked": PARKED, "gone": holders.settings.grace}[claim.state]
    with suppress(StoreError):  # objects are released also when the store is full
        holders.note(claim.page, {"turn": claim.turn, "held": held}, ttl)


def _keep_names(caller: Caller) -> None:
    """Renew the names of the session while a page is open."""
    settings, names = current.use(), caller.names
    settings.store.touch_many(names, needs_scan(settings.store).scan(names), settings.session_ttl)
