"""Who in a session holds which objects: its pages, and its background jobs.

To hold is a lease: it lets an object live on for a while. What nobody in the session holds any more lives
for the grace. The ttl of the objects does the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple

from dash_brain import recipes
from dash_brain.errors import StoreError, ValueMissing
from dash_brain.exchange import LEASE
from dash_brain.sessions import Visit
from dash_brain.settings import current
from dash_brain.stores.base import needs_lock, needs_scan
from dash_brain.tokens import Verified

#: A session with more holders is none that people made. A note takes a page of memory (4 KB).
MOST = 1000

#: Seconds that a page's objects live on in the back/forward cache; browsers keep pages about that long.
PARKED = 600.0


class Turn(NamedTuple):
    """The n-th statement of a holder.

    ``state``: the page is ``open``, is ``parked`` in the browser's back/forward cache, or is ``gone``; a
    job is ``open`` until it ended. ``job``: what the background callback manager calls the job.
    """

    holder: str
    number: int
    state: str
    job: str | None = None


class Holders:
    """What each holder of a session said last.

    Raises
    ------
    NoSession
        When the visit has no session.
    """

    def __init__(self, visit: Visit) -> None:
        self._settings = current.use()
        self._store = self._settings.store
        self._claims, self._objects = visit.claims, visit.namespace("session")

    def hold(self, turn: Turn, kinds: dict[Verified, str], dropped: set[str]) -> set[Verified] | None:
        """Let what a holder has now live on, and what it has no more die, unless another has it.

        Parameters
        ----------
        turn
            Who says so.
        kinds
            The objects that it has now, and how it keeps each: in ``memory``, or in the browser's storage
            of the ``session`` or ``local`` one.
        dropped
            Ids of objects that it had for a moment since its last turn.

        Returns
        -------
        set of Verified or None
            Those of the objects that are there; None when a later turn of the holder was heard before.
        """
        with self._lock():
            if self._record(turn.holder).get("turn", -1) >= turn.number:
                return None
            living = {one for one, kind in kinds.items() if self._lease(one, kind)}
            own = {one.object_id: kinds[one] for one in living if one.namespace == self._objects}
            self._note_and_let_go(turn, own, dropped)
        return living

    def renew(self, holder: str) -> None:
        """Let all that a holder has live on."""
        with self._lock():
            record = self._record(holder)
            for name in record.get("held", {}):
                with suppress(ValueMissing):
                    self._store.touch(self._objects, name, LEASE)
                    self._store.touch(self._claims, holder, LEASE)

    def of_job(self, job: str) -> str | None:
        """Return the holder that a job is, None when none is known."""
        return next((one for one in self._all() if self._record(one).get("job") == job), None)

    def _lock(self) -> AbstractContextManager[None]:
        return needs_lock(self._store).lock(self._claims)

    def _lease(self, found: Verified, kind: str) -> bool:
        """Let an object live on, and say whether it does; False when it is gone."""
        if recipes.is_memoized(found):
            return recipes.lease(self._store, found, LEASE)
        leased = found.namespace == self._objects and kind != "local"
        try:
            self._store.touch(*found, LEASE if leased else self._settings.session_ttl)
        except ValueMissing:
            return False
        return True

    def _note_and_let_go(self, turn: Turn, kinds: dict[str, str], dropped: set[str]) -> None:
        before = self._record(turn.holder).get("held", {})
        let_go = (before.keys() | dropped) - kinds.keys()
        if turn.state != "open":
            # A token in localStorage comes back with the next page, be it tomorrow.
            let_go |= {name for name, kind in kinds.items() if kind != "local"}
        holders = self._all()
        self._note(turn, kinds, holders)
        if len(holders) >= MOST:
            return  # not all holders are noted: what this one lets go of, another may have
        ttl = PARKED if turn.state == "parked" else self._settings.grace
        for name in let_go - set(self._held_elsewhere(turn.holder, holders) if let_go else ()):
            with suppress(ValueMissing):
                self._store.touch(self._objects, name, ttl)

    def _note(self, turn: Turn, kinds: dict[str, str], holders: list[str]) -> None:
        if turn.holder not in holders and len(holders) >= MOST:
            return
        # Who is gone holds nothing; its turn is kept for a while: a claim may still be under way.
        held = {} if turn.state == "gone" else kinds
        ttl = {"open": LEASE, "parked": PARKED, "gone": self._settings.grace}[turn.state]
        record = {"turn": turn.number, "held": held} | ({"job": turn.job} if turn.job else {})
        with suppress(StoreError):  # a full store must not keep us from letting go
            self._store.put(self._claims, turn.holder, [json.dumps(record).encode()], ttl=ttl)

    def _held_elsewhere(self, holder: str, holders: list[str]) -> Iterator[str]:
        for other in holders:
            if other != holder:
                yield from self._record(other).get("held", {})

    def _all(self) -> list[str]:
        return list(needs_scan(self._store).scan(self._claims))

    def _record(self, holder: str) -> dict[str, Any]:
        try:
            [record] = self._store.get(self._claims, holder)
        except ValueMissing:
            return {}
        return dict(json.loads(bytes(record)))
