"""The folder of a store: opened safely, and used through one descriptor; its removal is noticed."""

from __future__ import annotations

import contextlib
import os
import stat
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager

from dash_brain.errors import StoreUnavailable
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.system.descriptor import Descriptor
from dash_brain.stores.mapped.system.locks import KernelLocks, LockTable, lock_number, open_kernel_locks
from dash_brain.stores.mapped.volume.entries import Entry, entry_of, look
from dash_brain.stores.mapped.volume.large import LargeFiles
from dash_brain.stores.mapped.volume.objectfile import Seal
from dash_brain.stores.mapped.volume.paths import draft_of, number_of_draft
from dash_brain.stores.mapped.volume.private import enter_ours, make_place, open_private, outer_folder
from dash_brain.stores.mapped.volume.publish import Draft, Publish, best_for, create_once, publish_link
from dash_brain.stores.mapped.volume.spares import Spares
from dash_brain.stores.namespaces import is_domain

#: Raised with each change after which older stores cannot be read. It is part of the folder's name, so that
#: each format has a folder of its own.
FORMAT = 3
SECRET_SIZE = 32

_FOLDER = os.O_RDONLY | platform.FOLDER


class Volume:
    """The open folder ``dash_brain-<uid>/<name>@<format>`` below ``folder``, with its locks and its secret.

    ``name`` has no ``@``. ``plain`` turns large pages and spares off.
    """

    def __init__(self, folder: str, name: str, *, plain: bool = False) -> None:
        self._open: list[Descriptor] = []
        self.name = name
        self.folder = folder
        self.shown = os.path.join(outer_folder(folder), f"{name}@{FORMAT}")
        if not platform.SUPPORTED:
            raise StoreUnavailable("This system has no private folders to share; use memory:// instead.")
        make_place(folder)
        self.descriptor = self._keep(enter_ours(folder, f"{name}@{FORMAT}", open_private))
        self.locks = LockTable(self._best_locks())
        large = LargeFiles(self.descriptor, plain=plain)
        self.spares = Spares(self.descriptor, self.locks, large, weakref.ref(self))
        #: Publishes an object, and returns the one that it replaces.
        self.publish = self._best_publish()
        self.key = self._keep(self.open_own("key", os.urandom(SECRET_SIZE)))
        self.secret = os.pread(self.key, SECRET_SIZE + 1, 0)
        if len(self.secret) != SECRET_SIZE:
            raise self.damaged("key")
        self.seal = Seal(self.secret)

    def _best_locks(self) -> KernelLocks:
        return open_kernel_locks(self.descriptor)

    def _best_publish(self) -> Publish:
        return best_for(self.descriptor, self.locks, self.spares)

    def publish_link(self, draft: Draft, text: str) -> Entry | None:
        """Make a link that stands for an object which lies elsewhere, in place of what was there."""
        return publish_link(self.descriptor, self.locks, draft, text)

    def outdated(self) -> bool:
        """Say whether the secret was removed since we opened it, so that others seal with another one."""
        return os.fstat(self.key).st_nlink == 0

    def gone(self) -> bool:
        """Say whether the folder, its secret or its locks were removed since we opened it."""
        return self.outdated() or self.locks.gone()

    def swept(self) -> float:
        """Return when the last sweep ended, in seconds since the epoch: the time of the key file says so."""
        return os.fstat(self.key).st_mtime

    def note_sweep(self, now: float) -> None:
        """Note that a sweep has ended."""
        os.utime(self.key, (now, now))

    @contextlib.contextmanager
    def hold(self, path: str, longest: float | None = None) -> Iterator[str]:
        """Hold the lock of a path as ``LockTable.hold``; yields the hidden name that only its holder uses."""
        number, hidden = draft_of(path)
        with self.locks.hold(number, longest):
            yield hidden

    def hold_if_free(self, path: str) -> AbstractContextManager[bool]:
        """Hold the lock of a path while the block runs, or say False when somebody else does."""
        return self.locks.hold_if_free(lock_number(path))

    def look(self, path: str) -> Entry | None:
        """Return what lies under a path, None for nothing or what is no object."""
        return look(path, self.descriptor)

    def make_folder(self, path: str) -> None:
        """Make the folder ``<domain>/<name>``, and the one above it."""
        for part in (os.path.dirname(path), path):
            platform.make_folder(part, self.descriptor)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder; none if it is not there."""
        with self._opened(path) as folder:
            return [] if folder is None else os.listdir(folder)

    def entries(self, path: str = ".") -> Iterator[tuple[str, os.stat_result]]:
        """Yield name and state of all in a folder, but for what is removed meanwhile; nothing without it."""
        with self._opened(path) as folder:
            for name in [] if folder is None else os.listdir(folder):
                try:
                    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield name, found

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[int | None]:
        try:
            folder = os.open(path, _FOLDER | platform.NO_FOLLOW, dir_fd=self.descriptor)
        except (FileNotFoundError, NotADirectoryError):
            yield None
            return
        try:
            yield folder
        finally:
            os.close(folder)

    def folders(self) -> Iterator[str]:
        """Yield the folder of each namespace."""
        for domain in self.names("."):
            if is_domain(domain):
                for name, found in self.entries(domain):
                    if stat.S_ISDIR(found.st_mode):
                        yield f"{domain}/{name}"

    def objects(self, folder: str) -> Iterator[tuple[str, Entry]]:
        """Yield path and state of each object in a folder, expired ones too."""
        for name, found in self.entries(folder):
            if name[0] != ".":
                path = f"{folder}/{name}"
                entry = entry_of(path, self.descriptor, found)
                if entry is not None:
                    yield path, entry

    def remove_drafts(self, folder: str) -> int:
        """Remove the drafts in a folder whose writers are dead: their locks are free; return how many."""
        removed = 0
        for name in self.names(folder):
            number = number_of_draft(name)
            if number is not None:
                with self.locks.hold_if_free(number) as held:
                    removed += held and platform.remove(f"{folder}/{name}", self.descriptor)
        return removed

    def open_own(self, name: str, content: bytes, flags: int = os.O_RDONLY) -> int:
        """Open a file of the store itself, which has this content when it is new."""
        try:
            return platform.open_healed(name, flags, self.descriptor)
        except FileNotFoundError:
            create_once(self.descriptor, self.locks, name, content)
            return platform.open_healed(name, flags, self.descriptor)

    def damaged(self, name: str) -> StoreUnavailable:
        """Return the error for a file of the store itself that is not what it should be."""
        return StoreUnavailable(f"{self.shown}/{name} is damaged; remove the folder {self.shown}.")

    def _keep(self, number: int) -> int:
        self._open.append(Descriptor(number))
        return number

    def __del__(self) -> None:
        if hasattr(self, "spares"):
            self.spares.release()
