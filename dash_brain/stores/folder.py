"""The folder of a store: opened safely, reached through one descriptor, and noticed when it is removed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import platform, publishing
from dash_brain.stores.entries import Entry, look, open_object
from dash_brain.stores.kernel_locks import open_kernel_locks
from dash_brain.stores.ledger import Ledger, fresh_ledger
from dash_brain.stores.locks import KernelLocks, Locks, lock_number
from dash_brain.stores.objectfile import HEADER_SIZE, Seal, said_object_id
from dash_brain.stores.patience import Patience
from dash_brain.stores.private import open_private
from dash_brain.stores.removals import SIZE as REMOVALS_SIZE
from dash_brain.stores.removals import Removals
from dash_brain.stores.room import Room
from dash_brain.stores.spill import Spill

#: Bumped when a store of an older release could no longer be read. Newer stores are refused.
FORMAT = 2
SECRET_SIZE = 32

_FOLDER = os.O_RDONLY | platform.FOLDER


def number_of_draft(name: str) -> int | None:
    """Return the lock that guards the draft ``name``, or None for what is no draft."""
    try:
        return int(name[1:], 16) if len(name) == 17 and name[0] == "." else None
    except ValueError:
        return None


def open_store_folder(folder: str, name: str, shown: str) -> int:
    """Return a descriptor of the private ``dash_brain-<uid>/<name>`` in ``folder``, which may be anyone's."""
    outer = f"dash_brain-{os.geteuid()}"
    with ExitStack() as closing:
        parent = os.open(folder, _FOLDER)
        closing.callback(os.close, parent)
        inner = open_private(parent, outer, os.path.dirname(shown))
        closing.callback(os.close, inner)
        return open_private(inner, name, shown)


class Root:
    """The open folder of a store, with its locks and its secret.

    Its descriptors are closed when the last operation that uses it is over; so a number never comes to
    mean another file in the middle of one.

    Parameters
    ----------
    folder
        Any folder; the store is the private ``dash_brain-<uid>/<name>`` below it.
    name
        The name of the store.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._open: list[int] = []
        self.shown = os.path.join(folder, f"dash_brain-{os.geteuid()}", name)
        if not platform.SUPPORTED:
            raise StoreUnavailable("This system has no private folders to share; use memory:// instead.")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.descriptor = self._keep(open_store_folder(folder, name, self.shown))
        self.locks = Locks(self._best_locks())
        self._check_format()
        self.publish = self._best_publish()
        self._key = self._keep(self._open_own("key", os.urandom(SECRET_SIZE)))
        self.secret = os.pread(self._key, SECRET_SIZE + 1, 0)
        if len(self.secret) != SECRET_SIZE:
            raise StoreUnavailable(f"{self.shown}/key is damaged; remove the folder {self.shown}.")
        self.seal = Seal(self.secret)
        self.ledger = self._open_ledger()
        self.room = Room(self.descriptor, self.ledger)
        self.removals = self._open_removals()
        self.spill = Spill(self, self.shown)
        self.patience = Patience()

    def _best_locks(self) -> KernelLocks:
        return open_kernel_locks(self.descriptor)

    def _best_publish(self) -> publishing.Publish:
        return publishing.best_for(self.descriptor)

    def outdated(self) -> bool:
        """Say whether the secret was removed under us, so that others seal with another one."""
        return os.fstat(self._key).st_nlink == 0

    def gone(self) -> bool:
        """Say whether the folder, or what binds those who open it, was removed under us."""
        return self.outdated() or self.locks.gone()

    def swept(self) -> float:
        """Return when anybody swept last, in seconds since the epoch: the key file's time says so."""
        return os.fstat(self._key).st_mtime

    def note_sweep(self, now: float) -> None:
        """Note that a sweep is over."""
        os.utime(self._key, (now, now))

    @contextlib.contextmanager
    def hold(self, path: str) -> Iterator[str]:
        """Hold the lock of a path; gives the hidden name beside it that only the holder uses."""
        number = lock_number(path)
        folder, slash, _ = path.rpartition("/")
        with self.locks.hold(number):
            yield f"{folder}{slash}.{number:016x}"

    def hold_if_free(self, path: str) -> AbstractContextManager[bool]:
        """Hold the lock of a path while the block runs, or say False when somebody else does."""
        return self.locks.hold_if_free(lock_number(path))

    def look(self, path: str) -> Entry | None:
        """Return what lies under a path, None for nothing or what is no object."""
        return look(path, self.descriptor, self.spill)

    def open(self, path: str) -> int:
        """Return a descriptor of the file that holds the object under a path."""
        return open_object(path, self.descriptor, self.spill)

    def object_id(self, path: str) -> str:
        """Return the id that the object under a path says it has, unverified."""
        file = self.open(path)
        try:
            return said_object_id(os.pread(file, HEADER_SIZE, 0))
        finally:
            os.close(file)

    def make_folder(self, path: str) -> None:
        """Make the folder ``<domain>/<name>``, and the one above it."""
        for part in (os.path.dirname(path), path):
            platform.make_folder(part, self.descriptor)

    def names(self, path: str = ".") -> list[str]:
        """Return the names in a folder, none if it is not there."""
        return [name for name, _ in self.entries(path)]

    def entries(self, path: str) -> Iterator[tuple[str, os.stat_result]]:
        """Yield what lies in a folder, but for what vanishes meanwhile; nothing if it is not there."""
        try:
            folder = os.open(path, _FOLDER | platform.NO_FOLLOW, dir_fd=self.descriptor)
        except (FileNotFoundError, NotADirectoryError):
            return
        try:
            for name in os.listdir(folder):
                with contextlib.suppress(FileNotFoundError):
                    yield name, os.stat(name, dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(folder)

    def _check_format(self) -> None:
        file = self._open_own("FORMAT", json.dumps({"format": FORMAT}).encode())
        try:
            found = json.loads(os.read(file, 4096))["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreUnavailable(
                f"{self.shown}/FORMAT is damaged; remove the folder {self.shown}."
            ) from error
        finally:
            os.close(file)
        if found != FORMAT:
            older = isinstance(found, int) and found < FORMAT
            what = f"Remove the folder {self.shown}" if older else "Upgrade dash_brain"
            raise StoreUnavailable(
                f"The store {self.shown} has format {found}, and this release knows format {FORMAT}. "
                f"{what}, or choose another store name."
            )

    def _open_ledger(self) -> Ledger:
        file = self._open_own("ledger", fresh_ledger(), os.O_RDWR)
        try:
            return Ledger(file, self.locks)
        finally:
            os.close(file)

    def _open_removals(self) -> Removals:
        file = self._open_own("remembered", bytes(REMOVALS_SIZE), os.O_RDWR)
        try:
            return Removals(file)
        except ValueError as error:
            raise StoreUnavailable(
                f"{self.shown}/remembered is damaged; remove the folder {self.shown}."
            ) from error
        finally:
            os.close(file)

    def _open_own(self, name: str, content: bytes, flags: int = os.O_RDONLY) -> int:
        try:
            return platform.open_healed(name, flags, self.descriptor)
        except FileNotFoundError:
            publishing.create_once(self, name, content)
            return platform.open_healed(name, flags, self.descriptor)

    def _keep(self, descriptor: int) -> int:
        self._open.append(descriptor)
        return descriptor

    def __del__(self) -> None:
        while self._open:
            os.close(self._open.pop())
