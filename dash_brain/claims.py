"""Which pages hold which objects.

Dash drops responses that a newer one superseded, tabs are cloned, a token can sit in two stores: whoever
only listens for what was released leaks or deletes too much. So each page says what it holds *now*. A
claim is a lease: it lets an object live on for a while, and what no page of the session claims any more
lives for a grace. The ttl of the objects does the rest; nothing has to walk over sessions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple

from dash_brain import tokens
from dash_brain.errors import BadToken, BrainError, ValueMissing
from dash_brain.exchange import LEASE, registry
from dash_brain.internals import stringify_id
from dash_brain.sessions import Visit
from dash_brain.settings import Settings, current
from dash_brain.stores.base import needs_lock, needs_scan

#: A page with more stores, a session with more pages, a longer claim: none of that is ours.
MOST_STORES = 1000
MOST_PAGES = 100
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
    return current.use().keys.newest.signature(_LABEL, visit.app_id, stringify_id(component_id))


def read(body: bytes) -> Claim:
    """Return the claim in a request's body.

    Raises
    ------
    BadClaim
        For everything that our script would not have sent.
    """
    try:
        sent: Any = json.loads(body) if len(body) <= MOST_BYTES else None
        held = [Held(one["id"], one["mark"], one["token"], one["kind"]) for one in sent["held"]]
        claim = Claim(sent["page"], sent["turn"], sent["state"], held, list(sent["dropped"]))
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
    return isinstance(held.id, (str, dict)) and isinstance(held.mark, str) and held.kind in _KINDS


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
    pages = _Pages(current.use(), visit)
    with pages.lock():
        if pages.turn(claim.page) >= claim.turn:
            return []  # overtaken by a later claim of the page
        leased = [_lease(visit, held) for held in claim.held]
        kinds = {name: held.kind for name, held in zip(leased, claim.held, strict=True) if name}
        pages.holds(claim, kinds, set(filter(None, (_own(visit, token) for token in claim.dropped))))
    _keep_names(visit)
    return [place for place, held in enumerate(claim.held) if held.token is not None and not leased[place]]


def _register(visit: Visit, stores: list[Held]) -> None:
    """Enter the ids of the page's stores anew, should the registry have lost them."""
    for held in stores:
        name = stringify_id(held.id)
        if any(key.signs(held.mark, _LABEL, visit.app_id, name) for key in current.use().keys):
            registry(visit).add(name)


def _lease(visit: Visit, held: Held) -> str | None:
    """Let the object of a token live on, and return its id; None when it is dead."""
    settings = current.use()
    try:
        found = tokens.verify(settings.keys, visit.namespaces, held.token)
        own = found.namespace == visit.namespace("session") and held.kind != "local"
        settings.store.touch(*found, LEASE if own else settings.session_ttl)
    except (BadToken, ValueMissing):
        return None
    return found.object_id


def _own(visit: Visit, token: object) -> str | None:
    """Return the id of an object of this session, None for any other token."""
    with suppress(BadToken):
        found = tokens.verify(current.use().keys, visit.namespaces, token)
        if found.namespace == visit.namespace("session"):
            return found.object_id
    return None


def _keep_names(visit: Visit) -> None:
    """Let what the session keeps by name live on while a page is open."""
    settings = current.use()
    for name in needs_scan(settings.store).scan(visit.names):
        with suppress(ValueMissing):
            settings.store.touch(visit.names, name, settings.session_ttl)


class _Pages:
    """What each page of a session said last. Used under the session's lock."""

    def __init__(self, settings: Settings, visit: Visit) -> None:
        self._store = settings.store
        self._grace = settings.grace
        self._claims, self._objects = visit.claims, visit.namespace("session")

    def lock(self) -> AbstractContextManager[None]:
        """Hold the session's claims alone while the block runs."""
        return needs_lock(self._store).lock(self._claims)

    def turn(self, page: str) -> int:
        """Return the turn of the page's last claim."""
        return int(self._record(page).get("turn", -1))

    def holds(self, claim: Claim, kinds: dict[str, str], dropped: set[str]) -> None:
        """Note that the page holds these objects, and let go of what it held before or dropped."""
        before = self._record(claim.page).get("held", {})
        ttl = PARKED if claim.state == "parked" else self._grace
        if claim.state != "open":
            # A token in localStorage comes back with the next page, be it tomorrow.
            stays = {name for name, kind in {**before, **kinds}.items() if kind == "local"}
            before, kinds = {**before, **kinds}, {}
        else:
            stays = set(kinds)
        self._note(claim, kinds)
        let_go = (before.keys() | dropped) - stays
        for name in let_go - set(self._held_elsewhere(claim.page) if let_go else ()):
            with suppress(ValueMissing):
                self._store.touch(self._objects, name, ttl)

    def _note(self, claim: Claim, kinds: dict[str, str]) -> None:
        # What is not noted is leased all the same; it only is not let go of before the lease ends.
        if claim.page not in self._pages() and len(self._pages()) >= MOST_PAGES:
            return
        record = json.dumps({"turn": claim.turn, "held": kinds}).encode()
        # The turn of a page that is gone is kept for a while: a claim may still be under way.
        self._store.put(self._claims, claim.page, [record], ttl=LEASE if kinds else self._grace)

    def _held_elsewhere(self, page: str) -> Iterator[str]:
        for other in self._pages():
            if other != page:
                yield from self._record(other).get("held", {})

    def _pages(self) -> list[str]:
        return list(needs_scan(self._store).scan(self._claims))

    def _record(self, page: str) -> dict[str, Any]:
        try:
            [record] = self._store.get(self._claims, page)
        except ValueMissing:
            return {}
        return dict(json.loads(bytes(record)))
