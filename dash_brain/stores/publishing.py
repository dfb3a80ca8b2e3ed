"""A file appears under its name whole, or not at all.

Linux writes a file without a name (``O_TMPFILE``) and links it. Where that is missing, a hidden draft under
the key's lock and a rename do the same work; whoever finds that lock free may remove the draft.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from dash_brain.stores.base import ABSENT
from dash_brain.stores.entries import Entry
from dash_brain.stores.expected import Expected
from dash_brain.stores.platform import LACKING, NO_FOLLOW, TMPFILE

Fill: TypeAlias = Callable[[int], None]

_UNNAMED = TMPFILE | os.O_RDWR
_NAMED = os.O_CREAT | os.O_EXCL | os.O_RDWR | NO_FOLLOW


class Folder(Protocol):
    """A folder whose paths can be locked."""

    descriptor: int

    def hold(self, path: str) -> AbstractContextManager[str]:
        """Hold the lock of a path; gives the name of a draft that only the holder uses."""

    def look(self, path: str) -> Entry | None:
        """Return what lies under a path."""

    def object_id(self, path: str) -> str:
        """Return the id that the object under a path says it has."""


class Publish(Protocol):
    """Make the file ``path``, filled by ``fill`` with ``size`` bytes, in place of what is ``expected``.

    Returns what that was.
    """

    def __call__(
        self, root: Folder, path: str, fill: Fill, size: int, expected: Expected | None = None
    ) -> Entry | None: ...


def has_unnamed_files(folder: int) -> bool:
    """Say whether files can be written without a name in this folder, and be linked later."""
    if not TMPFILE or not os.path.isdir("/proc/self/fd"):
        return False
    try:
        os.close(os.open(".", _UNNAMED, 0o600, dir_fd=folder))
    except OSError as error:
        if os.fstat(folder).st_nlink == 0:  # removed meanwhile; ext4 says EPERM then
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
        if error.errno not in LACKING:
            raise
        return False
    return True


def best_for(folder: int) -> Publish:
    """Return the way of publishing that suits this folder."""
    return Unnamed() if has_unnamed_files(folder) else publish_named


class Unnamed:
    """Write a file without a name, then give it one: killed on the way, nothing is left.

    A name that this process has replaced before will be replaced again: so a small file is written as a
    draft at once, under the lock that replacing takes anyway. That spares a quarter of the time; killed on
    the way, a few pages are left to the next one who holds the lock: a writer of the key, or the sweep.
    """

    #: Up to so many bytes a file is small.
    SMALL = 64 << 10
    #: So many names are remembered; to forget them costs one slower put each.
    NAMES = 10_000

    def __init__(self) -> None:
        self._replaced: set[str] = set()

    def __call__(
        self, root: Folder, path: str, fill: Fill, size: int, expected: Expected | None = None
    ) -> Entry | None:
        if size <= self.SMALL and path in self._replaced:
            return publish_named(root, path, fill, size, expected)
        folder, _, _ = path.rpartition("/")
        descriptor = os.open(folder, _UNNAMED, 0o600, dir_fd=root.descriptor)
        try:
            fill(descriptor)
            may_be_new = expected is None or expected.object_id == ABSENT
            if may_be_new and _link_if_free(descriptor, path, root.descriptor):
                return None
            self._note(path)
            with root.hold(path) as draft:
                return _replace(descriptor, path, draft, root, expected)
        finally:
            os.close(descriptor)

    def _note(self, path: str) -> None:
        if len(self._replaced) >= self.NAMES:
            self._replaced.clear()
        self._replaced.add(path)


def _replace(descriptor: int, path: str, draft: str, root: Folder, expected: Expected | None) -> Entry | None:
    """Put the file in the place of another, and return that; the lock of the path is held.

    linkat never replaces, so a second name and a rename do. A crash between the two leaves the draft to the
    next one who holds the lock: a writer of the key, or the sweep.
    """
    _link_anew(descriptor, draft, root.descriptor)
    try:
        return take_place(draft, path, root, expected)
    except BaseException:
        remove(draft, root.descriptor)
        raise


def take_place(draft: str, path: str, root: Folder, expected: Expected | None) -> Entry | None:
    """Give a draft its name, and return what had that name; the lock of the path is held."""
    replaced = _looked_at(root, path, expected)
    if replaced is None:
        # It was removed meanwhile. A file where there is none comes without the lock, and may have come.
        with contextlib.suppress(FileExistsError):
            _link_draft(draft, path, root.descriptor)
            with contextlib.suppress(OSError):  # it is done; a draft that stays is the next one's to remove
                remove(draft, root.descriptor)
            return None
        replaced = _looked_at(root, path, expected)
    os.rename(draft, path, src_dir_fd=root.descriptor, dst_dir_fd=root.descriptor)
    return replaced


def _looked_at(root: Folder, path: str, expected: Expected | None) -> Entry | None:
    """Return what lies under a path, whose lock is held, if that is what was expected."""
    entry = root.look(path)
    if expected is not None:
        gone = entry is None or entry.is_over(expected.now)
        expected.check(ABSENT if gone else root.object_id(path))
    return entry


def publish_named(
    root: Folder, path: str, fill: Fill, size: int, expected: Expected | None = None
) -> Entry | None:
    """Write a hidden file under the key's lock and rename it: whoever finds the lock free may remove it."""
    with root.hold(path) as draft:
        descriptor = _create_anew(draft, root.descriptor)
        try:
            fill(descriptor)
            return take_place(draft, path, root, expected)
        except BaseException:
            remove(draft, root.descriptor)
            raise
        finally:
            os.close(descriptor)


def remove(path: str, root: int) -> bool:
    """Unlink the file and say whether there was one."""
    try:
        os.unlink(path, dir_fd=root)
    except FileNotFoundError:
        return False
    return True


def _link(descriptor: int, path: str, root: int) -> None:
    # Only with a directory descriptor does os.link call linkat with AT_SYMLINK_FOLLOW. Without one it
    # calls link, which would try to link the entry in /proc itself.
    os.link(f"/proc/self/fd/{descriptor}", path, dst_dir_fd=root)


def _link_draft(draft: str, path: str, root: int) -> None:
    # A draft may be a link to what was spilled.
    os.link(draft, path, src_dir_fd=root, dst_dir_fd=root, follow_symlinks=False)


def _link_if_free(descriptor: int, path: str, root: int) -> bool:
    try:
        _link(descriptor, path, root)
    except FileExistsError:
        return False
    return True


def _link_anew(descriptor: int, draft: str, root: int) -> None:
    try:
        _link(descriptor, draft, root)
    except FileExistsError:
        remove(draft, root)
        with _alone():
            _link(descriptor, draft, root)


def _create_anew(draft: str, root: int) -> int:
    try:
        return os.open(draft, _NAMED, 0o600, dir_fd=root)
    except FileExistsError:
        remove(draft, root)
        with _alone():
            return os.open(draft, _NAMED, 0o600, dir_fd=root)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Make a draft, of which only the holder of its lock can.

    Two hold one lock when somebody empties the folder, and the file of locks is made anew meanwhile. Then
    the folder has to be opened anew too, as if it were gone.
    """
    try:
        yield
    except FileExistsError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error


def create_once(root: Folder, name: str, content: bytes) -> None:
    """Make a file of the store itself, unless there is one: the first wins, for good."""
    # Each maker has a draft of its own, and no rename: should the folder be emptied by hand meanwhile, the
    # file of locks is another one, and two would hold the lock of one draft.
    with root.hold(f"{name} {os.urandom(8).hex()}") as draft:
        descriptor = os.open(draft, _NAMED, 0o600, dir_fd=root.descriptor)
        try:
            if os.write(descriptor, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fchmod(descriptor, 0o600)
            with contextlib.suppress(FileExistsError):
                os.link(draft, name, src_dir_fd=root.descriptor, dst_dir_fd=root.descriptor)
        finally:
            os.close(descriptor)
            remove(draft, root.descriptor)
