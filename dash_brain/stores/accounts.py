"""What each session takes in all, counted as it changes.

An account is an empty file whose time of change, in seconds, is the number of pages: nothing need be written
when the file system is full. Some file systems keep whole seconds only, and objects take whole pages. What a
crash leaves wrong is put right by the next sweep.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dash_brain.stores import files, walking
from dash_brain.stores.faults import is_full
from dash_brain.stores.folder import Root
from dash_brain.stores.places import OF_SESSIONS, account_of
from dash_brain.stores.platform import make_folder, open_healed
from dash_brain.stores.publishing import remove

#: The folder of the files.
HIDDEN = ".accounts"

_PAGE = files.occupied(1)
_SECOND = 1_000_000_000  # nanoseconds


def folders_of(account: str) -> list[str]:
    """Return the folders of all that belongs to an account."""
    return [f"{domain}/{account}" for domain in OF_SESSIONS]


def add(root: Root, account: str, nbytes: int, most: int | None = None) -> bool:
    """Add to an account, unless there would be more than ``most`` in it; say whether that was done."""
    try:
        with _opened(root, account) as file:
            held = _said(os.fstat(file)) + nbytes
            if most is not None and held > most:
                return False
            _set(root, account, file, held)
    except OSError as error:
        if not is_full(error):
            raise
        # Not even a file can be made. What matters more is to make room; the next sweep counts this.
    return True


def total(root: Root, account: str) -> int:
    """Return the bytes in an account."""
    try:
        return _said(os.stat(f"{HIDDEN}/{account}", dir_fd=root.descriptor, follow_symlinks=False))
    except FileNotFoundError:
        return 0


def refund(root: Root, path: str, nbytes: int) -> None:
    """Take the bytes of an object that is gone from the account that it belonged to."""
    account = account_of(path)
    if account is not None:
        add(root, account, -nbytes)


def correct(root: Root, counted: Mapping[str, int]) -> None:
    """Put accounts right that differ from what was counted, and remove those of sessions that are gone."""
    noted = {name: _said(found) for name, found in root.entries(HIDDEN)}
    for account in noted.keys() | counted.keys():
        if noted.get(account) != counted.get(account):
            # Objects may have come since: the account is counted once more, now that none is added to it.
            with _opened(root, account) as file:
                least, noted_now = _count(root, account), total(root, account)
                # What is being written is in an account before it is there.
                _set(root, account, file, min(max(noted_now, least), least + root.ledger.promised()))


def _count(root: Root, account: str) -> int:
    return sum(entry.nbytes for folder in folders_of(account) for _, entry in walking.objects(root, folder))


def _said(account: os.stat_result) -> int:
    return account.st_mtime_ns // _SECOND * _PAGE


def _set(root: Root, account: str, file: int, nbytes: int) -> None:
    if nbytes > 0:
        os.utime(file, ns=(0, nbytes // _PAGE * _SECOND))
    else:
        remove(f"{HIDDEN}/{account}", root.descriptor)


@contextmanager
def _opened(root: Root, account: str) -> Iterator[int]:
    """Hold the lock of an account, and open its file."""
    path = f"{HIDDEN}/{account}"
    with root.hold(path):
        try:
            file = open_healed(path, os.O_RDONLY, root.descriptor)
        except FileNotFoundError:
            file = _made(root, path)
        try:
            yield file
        finally:
            os.close(file)


def _made(root: Root, path: str) -> int:
    make_folder(HIDDEN, root.descriptor)
    file = open_healed(path, os.O_RDONLY | os.O_CREAT, root.descriptor)
    try:
        os.utime(file, ns=(0, 0))
    except BaseException:
        os.close(file)
        raise
    return file
