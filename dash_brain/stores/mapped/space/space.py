"""Room for new objects: reserved before they are written, and made where there is too little."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from mmap import mmap

from dash_brain.common.polling import moments
from dash_brain.errors import StoreFull
from dash_brain.stores.faults import beyond_quota, full, too_large
from dash_brain.stores.mapped.space.accounts import Accounts, folders_of
from dash_brain.stores.mapped.space.backoff import Backoff, Search
from dash_brain.stores.mapped.space.capacity import Capacity
from dash_brain.stores.mapped.space.expiring import Expiring
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.ledger import NAME, Ledger, fresh_ledger
from dash_brain.stores.mapped.space.limits import Budget, DiskShare, FileSystem, Quota
from dash_brain.stores.mapped.space.rows import open_counters
from dash_brain.stores.mapped.space.tombstones import SIZE, Tombstones
from dash_brain.stores.mapped.spill.disk import Disk
from dash_brain.stores.mapped.spill.roots import SpillFolder
from dash_brain.stores.mapped.system.faults import crowded
from dash_brain.stores.mapped.volume.folder import Volume
from dash_brain.stores.mapped.volume.large import LARGE
from dash_brain.stores.mapped.volume.publish import Draft
from dash_brain.stores.mapped.volume.spares import SHARE
from dash_brain.stores.namespaces import HELD, IDLE, account_of, domain_of
from dash_brain.stores.reclaim import Candidate, reclaim, total

#: Seconds for which others are waited for that write, and for a lock.
WRITING = 5.0
_TURN = 2.0
#: Those who have reserved what they did not write yet, and those of them who write into memory.
_WRITERS, _MEMORY_WRITERS = "writers", "memory writers"


class Space:
    """The room of one open store."""

    def __init__(self, inventory: Inventory, capacity: Capacity) -> None:
        self.inventory = inventory
        self.capacity = capacity
        self.expiring = Expiring()
        self._ledger = inventory.ledger
        self._backoff = Backoff()
        self._budget_search = Search()
        #: For what may go at worst.
        self._place_search = {IDLE: Search(), HELD: Search()}

    def reserve(self, draft: Draft, worst: int) -> None:
        """Reserve room within the budget for an object that is to be written and committed, and evict for it.

        It is counted before it is there, and what it replaces is discounted afterwards: a process that looks
        meanwhile may see too little room, and never too much. What goes is of rank ``worst`` at most.
        ``StoreFull`` when there is no room, and none can be made.
        """
        ledger = self._ledger
        free = ledger.reserve(draft.nbytes)
        if draft.size >= LARGE or free < ledger.allowed // SHARE:
            self.inventory.volume.spares.leave_room(free, ledger.budget())
        try:
            if free < 0:
                self._make_room(draft, worst, -free)
        except BaseException:
            ledger.reserve(-draft.nbytes)
            raise

    def recycle(self, now: float) -> None:
        """Remove large objects that have expired, and make spares of them."""
        for path in self.expiring.due(now):
            self.inventory.remove_expired(path, now, spare=True)

    def check_memory(self, nbytes: int) -> None:
        """Raise ``StoreFull`` when the container has too little memory for what room was reserved for."""
        if self.capacity.memory.lacks(nbytes, self._ledger.reserved()):
            raise crowded(nbytes)

    def admit(self, draft: Draft) -> None:
        """Keep the notes of a namespace within their bounds: too large is ``StoreFull``, the oldest go."""
        domain, volume = domain_of(draft.path), self.inventory.volume
        if domain.largest and draft.size > domain.largest:
            raise too_large(draft.size, domain.largest)
        folder = os.path.dirname(draft.path)
        if domain.most and len(volume.names(folder)) >= domain.most and volume.look(draft.path) is None:
            notes = [
                Candidate(0, entry.found.st_atime, path, entry.nbytes, entry)
                for path, entry in volume.objects(folder)
            ]
            for oldest in sorted(notes, key=lambda one: one[:3])[: domain.most // 16 + 1]:
                self.inventory.evict(oldest, draft.now)

    def charge(self, draft: Draft, quota: int | None) -> None:
        """Add an object that is to be written to the account that it belongs to, if any.

        ``StoreFull`` when the account has no room for it even if all that may be evicted from it went.
        """
        account, inventory = account_of(draft.path), self.inventory
        if account is None or inventory.accounts.add(account, draft.nbytes, quota):
            return
        assert quota is not None, "without a quota there is room"
        folders, evict = folders_of(account), partial(inventory.evict, now=draft.now, reason="quota")
        limit = Quota(inventory, account, draft.path, draft.nbytes, quota)
        # Other workers may put for the same client meanwhile.
        for _ in moments(WRITING):
            if inventory.accounts.add(account, draft.nbytes, limit.most()):
                return
            going = inventory.candidates(folders, draft.now, draft.path, spilled=True)
            if not reclaim(limit, going, evict) and (
                draft.nbytes + inventory.kept(folders, draft.now, draft.path, spilled=True) > quota
            ):
                break
        raise beyond_quota(draft.nbytes, quota)

    def make_place(self, draft: Draft, worst: int, refusal: OSError, *, looked: bool) -> bool:
        """Evict because the file system or the memory is full, and say whether there is more of it now.

        Evictions that free nothing are a loss, so this is not tried again for each put that is refused.
        ``looked``: the kernel refused the put though there seems to be enough.
        """
        if isinstance(refusal, StoreFull) and worst == HELD and self._wait_for_memory(draft):
            return True
        if self.inventory.volume.spares.trim():
            return True
        search = self._place_search[worst]
        if search.was_in_vain(draft.nbytes, draft.path):
            return False
        with self.turn("evict"):
            if self._evict_for_place(draft, worst, looked=looked):
                return True
        replaced = self.inventory.volume.look(draft.path)
        spared = replaced.nbytes if replaced is not None and replaced.link is None else 0
        search.note(draft.nbytes, draft.path, spared)
        return False

    def _wait_for_memory(self, draft: Draft) -> bool:
        """Wait until others have written what they reserved, and say whether an object has memory then.

        What they have written so far counts twice, as used memory and as reserved: so there seems to be less
        than there is. Meanwhile our own reservation is given back, so that nobody waits for it.
        """
        with self._giving_way(draft.nbytes):
            if not self._gets_memory(draft.nbytes):
                return False
        # Others may have taken the room that was ours.
        limit = Budget(self.inventory, draft.path)
        return limit.missing() <= 0 or self._evict_for_budget(draft, HELD, limit)

    def make_disk_room(self, folder: SpillFolder, draft: Draft) -> bool:
        """Say whether the disk may take an object, and evict what is idle from there if it may not."""
        inventory, limit = self.inventory, DiskShare(self.inventory, folder, draft.nbytes)
        if limit.missing() <= 0:
            return True
        going = [
            candidate
            for candidate in inventory.candidates(
                inventory.volume.folders(), draft.now, draft.path, IDLE, spilled=True
            )
            if (link := candidate.entry.link) and link.folder == folder.id and inventory.disk.has(link)
        ]
        reclaim(limit, going, partial(inventory.evict, now=draft.now))
        return limit.missing() <= 0

    def full(self, nbytes: int) -> StoreFull:
        """Return the error for an object that has no room."""
        others = self._ledger.reserved() - nbytes
        return full(nbytes, self._ledger.budget(), self._ledger.used(), others)

    def _make_room(self, draft: Draft, worst: int, missing: int) -> None:
        final = worst == HELD
        if final or not self._budget_search.was_in_vain(missing):
            limit = Budget(self.inventory, draft.path)
            if limit.missing() <= 0 or self._evict_for_budget(draft, worst, limit):
                return
            self._budget_search.note(missing)
        raise self.full(draft.nbytes)

    def _evict_for_budget(self, draft: Draft, worst: int, limit: Budget) -> bool:
        """Evict until an object keeps within the budget, and say whether there is room now."""
        if draft.nbytes - limit.credit() > self._ledger.budget():
            return False
        inventory, evict = self.inventory, partial(self.inventory.evict, now=draft.now)
        with self._turn_for_budget(draft.nbytes):
            others = self._ledger.reserved() - draft.nbytes
            # Others go on putting what fits: what was seen may be gone, and room that was made be taken.
            for _ in self._backoff.moments(_WRITERS, WRITING, others):
                if limit.missing() <= 0:
                    return True  # somebody made room while we waited
                going = inventory.candidates(inventory.volume.folders(), draft.now, draft.path, worst)
                if not reclaim(limit, going, evict) and (worst < HELD or not self._will_do(draft)):
                    break
            return limit.missing() <= 0

    def _will_do(self, draft: Draft) -> bool:
        """Say whether there is enough to evict once others, if they live, have written what they reserved."""
        self._ledger.reap()
        kept = self.inventory.kept(self.inventory.volume.folders(), draft.now, draft.path)
        return kept + draft.nbytes <= self._ledger.budget()

    def _evict_for_place(self, draft: Draft, worst: int, *, looked: bool) -> bool:
        inventory = self.inventory
        place = FileSystem(inventory, self.capacity.memory, draft.nbytes, refused=looked)
        if place.missing() <= 0:
            return True
        # First the drafts of killed writers, where files cannot be written without a name.
        if sum(map(inventory.volume.remove_drafts, inventory.volume.folders())) and place.fits():
            return True
        going = inventory.candidates(inventory.volume.folders(), draft.now, draft.path, worst)
        if place.missing() > total(going):
            return False
        return reclaim(place, going, partial(inventory.evict, now=draft.now))

    def _gets_memory(self, nbytes: int) -> bool:
        with self.turn("memory"):
            self._ledger.reap()
            others = self._ledger.reserved()
            for _ in self._backoff.moments(_MEMORY_WRITERS, WRITING, others):
                reserved = self._ledger.reserved() + nbytes
                if self.capacity.memory.left(reserved) >= reserved:
                    return True
                if reserved == nbytes:
                    break
            return False

    @contextmanager
    def turn(self, path: str) -> Iterator[None]:
        """Hold the lock of a path if it is free soon, and go on without it otherwise.

        For a lock that saves work and is not needed for correctness. While its holder is stopped, only one
        put in thirty seconds waits for it.
        """
        with ExitStack() as held:
            for _ in self._backoff.moments(path, _TURN):
                if held.enter_context(self.inventory.volume.hold_if_free(path)):
                    break
            yield

    @contextmanager
    def _turn_for_budget(self, reserved: int) -> Iterator[None]:
        """Take the turn to evict; what we reserved is given back until it is our turn."""
        with ExitStack() as held:
            with self._giving_way(reserved):
                held.enter_context(self.turn("evict"))
            yield

    @contextmanager
    def _giving_way(self, reserved: int) -> Iterator[None]:
        """Give back what we reserved while the block runs."""
        self._ledger.reserve(-reserved)
        try:
            yield
        finally:
            self._ledger.reserve(reserved)


def open_space(volume: Volume, size: int | None, *, spills: bool) -> Space:
    """Return a store's space, with all that belongs to it.

    ``size`` is the budget of a new store, in bytes; None: what the place allows. ``spills``: what has no room
    goes to disk, if the store itself lies in memory.
    """
    ledger = Ledger(_table(volume, NAME, fresh_ledger()), volume.locks)
    tombstones = Tombstones(_table(volume, "remembered", bytes(SIZE)))
    capacity = Capacity(volume.descriptor, volume.shown, ledger)
    if size is not None:
        capacity.set_first(size)
    capacity.warn_if_small()
    disk = Disk(volume.descriptor, allowed=spills and capacity.in_memory)
    counters = open_counters(volume, ledger)
    return Space(Inventory(volume, disk, ledger, Accounts(volume), tombstones, counters), capacity)


def _table(volume: Volume, name: str, content: bytes) -> mmap:
    """Map a file of the store itself, which has this content when it is new."""
    file = volume.open_own(name, content, os.O_RDWR)
    try:
        return mmap(file, len(content))
    except ValueError as error:  # it is shorter
        raise volume.damaged(name) from error
    finally:
        os.close(file)
