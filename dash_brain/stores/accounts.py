"""What each session takes in all, counted as it changes.

An account is an empty file whose time of change is the number of bytes: so there is none to be written when
the file system is full. What a crash leaves wrong is put right by the next sweep.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager

from dash_brain.stores import walking
from dash_brain.stores.faults import is_full
from dash_brain.stores.folder import Root
from dash_brain.stores.places import OF_SESSIONS, account_of
from dash_brain.stores.platform import make_folder, open_healed
from dash_brain.stores.publishing import remove

#: The folder of the files.
HIDDEN = ".accounts"


def folders_of(account: str) -> list[str]:
    """Return the folders of all that belongs to an account."""
    return [f"{domain}/{account}" for domain in OF_SESSIONS]


def add(root: Root, account: str, nbytes: int, most: int | None = None) -> bool:
    """Add to an account, unless there would be more than ``most`` in it; say whether that was done."""
    try:
        with _opened(root, account) as file:
            held = os.fstat(file).st_mtime_ns + nbytes
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
        return os.stat(f"{HIDDEN}/{account}", dir_fd=root.descriptor, follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return 0


def refund(root: Root, path: str, nbytes: int) -> None:
    """Take the bytes of an object that is gone from the account that it belonged to."""
    account = account_of(path)
    if account is not None:
        add(root, account, -nbytes)


def correct(root: Root, counted: Mapping[str, int], *, besides: Set[str] = frozenset()) -> None:
    """Put accounts right that differ from what was counted, and remove those of sessions that are gone.

    Those in ``besides`` could not be counted.
    """
    noted = {name: found.st_mtime_ns for name, found in root.entries(HIDDEN)}
    for account in (noted.keys() | counted.keys()) - besides:
        if noted.get(account) != counted.get(account):
            # Objects may have come since: the account is counted once more, now that none is added to it.
            with _opened(root, account) as file:
                _set(root, account, file, _count(root, account))


def _count(root: Root, account: str) -> int:
    return sum(entry.nbytes for folder in folders_of(account) for _, entry in walking.objects(root, folder))


def _set(root: Root, account: str, file: int, nbytes: int) -> None:
    if nbytes > 0:
        os.utime(file, ns=(0, nbytes))
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
