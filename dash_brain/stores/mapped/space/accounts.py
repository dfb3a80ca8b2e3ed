"""Accounts: the bytes that all objects of each client take, counted as they change.

An account is an empty file whose modification time, in seconds, is the number of pages: so it can be changed
when the file system is full. Some file systems keep whole seconds only, and objects take whole pages. The
next sweep corrects what a crash leaves wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dash_brain.stores.mapped.system.faults import is_full
from dash_brain.stores.mapped.system.platform import make_folder, open_healed, remove
from dash_brain.stores.mapped.volume.entries import occupied
from dash_brain.stores.mapped.volume.folder import Volume
from dash_brain.stores.namespaces import OF_CLIENTS

#: The folder of the files.
HIDDEN = ".accounts"

_PAGE = occupied(1)
_SECOND = 1_000_000_000  # nanoseconds


def folders_of(account: str) -> list[str]:
    """Return the folders of all that belongs to an account."""
    return [f"{domain}/{account}" for domain in OF_CLIENTS]


class Accounts:
    """The accounts of one open store."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def add(self, account: str, nbytes: int, most: int | None = None) -> bool:
        """Add to an account, unless there would be more than ``most`` in it; say whether that was done."""
        try:
            with self._opened(account) as file:
                held = _said(os.fstat(file)) + nbytes
                if most is not None and held > most:
                    return False
                self._set(account, file, held)
        except OSError as error:
            if not is_full(error):
                raise
            # Not even an empty file can be made. Making room matters more; the next sweep counts the object.
        return True

    def total(self, account: str) -> int:
        """Return the bytes in an account."""
        path, root = f"{HIDDEN}/{account}", self._volume.descriptor
        try:
            return _said(os.stat(path, dir_fd=root, follow_symlinks=False))
        except FileNotFoundError:
            return 0

    def correct(self, counted: Mapping[str, int], reserved: int) -> None:
        """Correct the accounts that differ from what was counted, and remove those of clients that are gone.

        Of the bytes that are ``reserved``, some are in an account already, and their object is not yet there.
        """
        noted = {name: _said(found) for name, found in self._volume.entries(HIDDEN)}
        for account in noted.keys() | counted.keys():
            if noted.get(account) != counted.get(account):
                # Objects may have come since: the account is counted once more, now that none is added to it.
                with self._opened(account) as file:
                    least, noted_now = self._count(account), self.total(account)
                    self._set(account, file, min(max(noted_now, least), least + reserved))

    def _count(self, account: str) -> int:
        objects = self._volume.objects
        return sum(entry.nbytes for folder in folders_of(account) for _, entry in objects(folder))

    def _set(self, account: str, file: int, nbytes: int) -> None:
        if nbytes > 0:
            os.utime(file, ns=(0, nbytes // _PAGE * _SECOND))
        else:
            remove(f"{HIDDEN}/{account}", self._volume.descriptor)

    @contextmanager
    def _opened(self, account: str) -> Iterator[int]:
        """Hold the lock of an account, and open its file."""
        path = f"{HIDDEN}/{account}"
        with self._volume.hold(path):
            try:
                file = open_healed(path, os.O_RDONLY, self._volume.descriptor)
            except FileNotFoundError:
                file = self._made(path)
            try:
                yield file
            finally:
                os.close(file)

    def _made(self, path: str) -> int:
        make_folder(HIDDEN, self._volume.descriptor)
        file = open_healed(path, os.O_RDONLY | os.O_CREAT, self._volume.descriptor)
        try:
            os.utime(file, ns=(0, 0))
        except BaseException:
            os.close(file)
            raise
        return file


def _said(account: os.stat_result) -> int:
    return account.st_mtime_ns // _SECOND * _PAGE
