"""Claims of background jobs: their inputs live from when they are queued until they end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from dash_brain.errors import ValueMissing
from dash_brain.web.leases import LEASE
from dash_brain.web.leases.holders import JOB, Holders
from dash_brain.web.recipes import recompute
from dash_brain.web.sessions import Caller
from dash_brain.web.tokens import Verified


class JobClaims:
    """The claims of the jobs of one session. Each job has a unique key.

    Raises
    ------
    NoSession
        When the caller has no session.
    """

    def __init__(self, caller: Caller) -> None:
        self._holders = Holders(caller)
        self._store = self._holders.settings.store

    def begin(self, key: str, inputs: Iterable[Verified]) -> set[Verified]:
        """Claim the inputs of a job until it ends, and return those that exist.

        Raises
        ------
        StoreFull
            When there is no room for the note.
        """
        with self._holders.lock():
            end = self._holders.note(JOB + key, {}, LEASE)
            kinds = {one: self._lease(one, end) for one in inputs}
            held = {one.object_id: kind for one, kind in kinds.items() if kind in ("job", "browser")}
            memoized = [one for one in kinds if recompute.is_memoized(one)]
            self._holders.note(JOB + key, {"held": held, "memoized": memoized}, LEASE)
        return {one for one, kind in kinds.items() if kind is not None}

    def renew(self, key: str) -> None:
        """Renew the claims of a job that has not ended."""
        with self._holders.lock():
            self._store.touch_many(self._holders.objects, self._leased(key), LEASE)
            for found in self._holders[JOB + key].get("memoized", []):
                recompute.lease(self._store, Verified(*found), LEASE)
            self._holders.touch(JOB + key, LEASE)

    def end(self, key: str) -> None:
        """Release a job's inputs."""
        with self._holders.lock():
            leased = self._leased(key)
            self._holders.forget(JOB + key)
            self._holders.let_go(leased, self._holders.settings.grace)

    def supersede(self, object_id: str) -> None:
        """Release an object that a job has replaced by a newer one."""
        with self._holders.lock():
            self._holders.let_go([object_id], self._holders.settings.grace)

    def _leased(self, key: str) -> list[str]:
        """Return the inputs whose lease is the job's."""
        held = self._holders[JOB + key].get("held", {})
        return [name for name, kind in held.items() if kind == "job"]

    def _lease(self, found: Verified, end: float | None) -> str | None:
        """Give an object a lease as long as the job's note, and return what keeps it; None: it is gone.

        ``"job"``: this lease; ``"browser"``: a longer one, from a page's localStorage; ``"shared"``: its ttl.
        """
        if recompute.is_memoized(found):
            return "shared" if recompute.lease(self._store, found, LEASE) else None
        with suppress(ValueMissing):
            expires = self._store.info(*found).expires
            if found.namespace != self._holders.objects:
                return "shared"
            if expires is None or (end and expires > end):
                return "browser"
            self._store.touch(*found, LEASE)
            return "job"
        return None
