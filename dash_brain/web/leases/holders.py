"""The holders of a session's objects: its pages, and its background jobs.

Each holder has a note with its objects. An object that has no holder any more lives for the grace.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

from dash_brain.errors import DecodeError, ValueMissing
from dash_brain.settings import current
from dash_brain.stores.base import needs_lock, needs_scan
from dash_brain.stores.namespaces import NOTE
from dash_brain.web.sessions import Caller

#: Prefix of the names of jobs; the names of pages are hex digits.
JOB = "job-"


class Holders:
    """The notes of a session on its holders. To be used under :meth:`lock`.

    A note is a dict; ``note["held"]`` has the ids of the holder's objects.

    Raises
    ------
    NoSession
        When the caller has no session.
    """

    def __init__(self, caller: Caller) -> None:
        self.settings = current.use()
        self.objects = caller.namespace("session")
        self._store = self.settings.store
        self._claims = caller.claims

    def lock(self) -> AbstractContextManager[None]:
        """Lock the session's notes while the block runs."""
        return needs_lock(self._store).lock(self._claims)

    def __iter__(self) -> Iterator[str]:
        return iter(needs_scan(self._store).scan(self._claims))

    def pages(self) -> list[str]:
        """Return the holders that are pages."""
        return [holder for holder in self if not holder.startswith(JOB)]

    def __getitem__(self, holder: str) -> dict[str, Any]:
        """Return the note of a holder, empty for an unknown one.

        Of one that is signed with a key that was removed, the values are lost too.
        """
        try:
            [note] = self._store.get(self._claims, holder)
        except (ValueMissing, DecodeError):
            return {}
        return dict(json.loads(bytes(note)))

    def note(self, holder: str, note: dict[str, Any], ttl: float) -> float | None:
        """Write the note of a holder for ``ttl`` seconds, and return the time when it expires."""
        self._store.put(
            self._claims,
            holder,
            [json.dumps(note).encode()],
            ttl=ttl,
            retention=NOTE.within(self.settings.quota),
        )
        return self._store.info(self._claims, holder).expires

    def touch(self, holder: str, ttl: float) -> None:
        """Keep a note for longer."""
        with suppress(ValueMissing):
            self._store.touch(self._claims, holder, ttl)

    def forget(self, holder: str) -> None:
        """Forget a holder."""
        self._store.delete(self._claims, holder)

    def let_go(self, object_ids: Iterable[str], ttl: float, holder: str | None = None) -> None:
        """Shorten the leases of objects to ``ttl`` seconds, but for those that have another holder.

        Parameters
        ----------
        object_ids
            Ids of the objects that the holder does not hold any more.
        ttl
            Seconds.
        holder
            The holder whose own note does not count.
        """
        let_go = set(object_ids)
        if let_go:
            let_go.difference_update(*(self[other].get("held", {}) for other in self if other != holder))
        self._store.touch_many(self.objects, let_go, ttl)
