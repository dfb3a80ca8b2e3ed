"""The objects of a store and their counts: all that removes an object does it here, and counts it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from dash_brain.stores.counters import Counters
from dash_brain.stores.faults import Tombstone
from dash_brain.stores.mapped.space.accounts import Accounts
from dash_brain.stores.mapped.space.ledger import Ledger
from dash_brain.stores.mapped.space.tombstones import Tombstones
from dash_brain.stores.mapped.spill.disk import Disk
from dash_brain.stores.mapped.system.platform import remove
from dash_brain.stores.mapped.volume.entries import READ, Entry, expiry
from dash_brain.stores.mapped.volume.folder import Volume
from dash_brain.stores.mapped.volume.objectfile import HEADER_SIZE, said_created
from dash_brain.stores.mapped.volume.publish import object_id
from dash_brain.stores.namespaces import HELD, account_of, rank
from dash_brain.stores.reclaim import Candidate


class Inventory(NamedTuple):
    """The objects of one open store, in its folder and on disk, and what counts and remembers them."""

    volume: Volume
    disk: Disk
    ledger: Ledger
    accounts: Accounts
    tombstones: Tombstones
    counters: Counters

    def discount(self, path: str, entry: Entry) -> None:
        """Subtract an object that was removed from the counts, and remove its file if it was spilled."""
        self.ledger.add(-entry.nbytes, spilled=entry.link is not None)
        if entry.link is not None:
            self.disk.remove(entry.link)
        self.refund(path, entry.nbytes)

    def refund(self, path: str, nbytes: int) -> None:
        """Take the bytes of an object that is gone from the account that it belonged to."""
        account = account_of(path)
        if account is not None:
            self.accounts.add(account, -nbytes)

    def remove(
        self, path: str, now: float, wanted: str | None = None, *, spare: bool = False
    ) -> Entry | None:
        """Remove the object under a path and return it; with ``wanted``, only the one with that id.

        With ``spare`` its file may become a spare, whose pages a later put reuses.
        """
        # Under the lock, since replacing takes it too: what we look at is what we remove.
        with self.volume.hold(path):
            entry = self.volume.look(path)
            if wanted is not None and (entry is None or object_id(path, self.volume.descriptor) != wanted):
                return None
            if entry is None:
                self._remove_foreign(path)
                return None
            return entry if self._remove_entry(path, entry, "deleted", now, spare=spare) else None

    def evict(self, candidate: Candidate, now: float, reason: str = "evicted") -> bool:
        """Remove an object to make room, and say whether it went: not when it was used since it was seen."""
        with self.volume.hold_if_free(candidate.path) as held:
            entry: Entry = candidate.entry
            if not held or not entry.is_still(self.volume.look(candidate.path)):
                return False
            if self._used(entry) != candidate.used:
                return False
            return self._remove_entry(candidate.path, candidate.entry, reason, now)

    def remove_expired(self, path: str, now: float, *, spare: bool = False) -> bool:
        """Remove the object if it has expired, under the lock that replacing and touching it take.

        With ``spare`` its file may become a spare, for the put that is about to come.
        """
        with self.volume.hold_if_free(path) as held:
            entry = self.volume.look(path) if held else None
            if entry is None or not entry.has_expired(now):
                return False
            return self._remove_entry(path, entry, "expired", now, spare=spare)

    def candidates(
        self,
        folders: Iterable[str],
        now: float,
        besides: str,
        worst: int = HELD,
        *,
        spilled: bool = False,
    ) -> list[Candidate]:
        """Return the objects in some folders that may be evicted, in the order in which they go.

        None of a rank above ``worst``, nor the one under the path ``besides``. Those that were spilled, which
        take no room in the store's own folder, are among them only with ``spilled``.
        """
        found = [
            Candidate(ranked, self._used(entry), path, entry.nbytes, entry)
            for ranked, path, entry in self._ranked(folders, now, besides, spilled=spilled)
            if ranked is not None and ranked <= worst
        ]
        return sorted(found, key=lambda one: one[:3])

    def kept(self, folders: Iterable[str], now: float, besides: str, *, spilled: bool = False) -> int:
        """Return the bytes of the objects in some folders that are never evicted."""
        ranked = self._ranked(folders, now, besides, spilled=spilled)
        return sum(entry.nbytes for ranked_as, _, entry in ranked if ranked_as is None)

    def _ranked(
        self, folders: Iterable[str], now: float, besides: str, *, spilled: bool
    ) -> Iterator[tuple[int | None, str, Entry]]:
        for folder in folders:
            domain = folder.partition("/")[0]
            for path, entry in self.volume.objects(folder):
                if path != besides and (spilled or entry.link is None):
                    yield rank(domain, expiry(entry.found), self._used(entry), now), path, entry

    def _used(self, entry: Entry) -> float:
        """Return when an object was used last; 0 for a spilled one that this process cannot see."""
        return entry.found.st_atime if entry.link is None else self.disk.used(entry.link) or 0.0

    def _remove_entry(self, path: str, entry: Entry, reason: str, now: float, *, spare: bool = False) -> bool:
        """Remove the object that was found under a path, whose lock is held; say whether it was there."""
        created, why, when = self._created(path, entry), reason, now
        if entry.has_expired(now):
            why, when = "expired", min(expiry(entry.found) or now, now)
        kept = spare and why == reason and self.volume.spares.keep(path, entry, remove=True)
        if not kept and not remove(path, self.volume.descriptor):
            return False
        self.discount(path, entry)
        self.tombstones.note(path, Tombstone(why, entry.nbytes, created, when))
        self.counters.note_removal(path, why, entry.nbytes)
        return True

    def _created(self, path: str, entry: Entry) -> float:
        """Return when an object was put, as it says itself, unverified; 0 when it cannot be read."""
        with suppress(OSError):
            folder = self.volume.descriptor
            file = self.disk.open(entry.link) if entry.link else os.open(path, READ, dir_fd=folder)
            try:
                return said_created(os.pread(file, HEADER_SIZE, 0))
            finally:
                os.close(file)
        return 0.0

    def _remove_foreign(self, path: str) -> None:
        """Remove what is no object; look once more first: a new name is published without its lock."""
        folder = self.volume.descriptor
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(path, dir_fd=folder)
