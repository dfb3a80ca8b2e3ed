"""Publishing: a file appears under its name whole, or not at all.

On Linux a file is written without a name (``O_TMPFILE``), and linked. Elsewhere a hidden draft is written
under the key's lock, and renamed; a draft whose lock is free was left by a crash, and anybody may remove it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from dash_brain.stores.base import ABSENT, Frame
from dash_brain.stores.faults import conflict
from dash_brain.stores.mapped.system.faults import no_room
from dash_brain.stores.mapped.system.locks import LockTable
from dash_brain.stores.mapped.system.platform import LACKING, NO_FOLLOW, TMPFILE, remove
from dash_brain.stores.mapped.volume import file_leases
from dash_brain.stores.mapped.volume.entries import PAGE, Entry, entry_of, open_object
from dash_brain.stores.mapped.volume.large import LARGE, LargeFiles
from dash_brain.stores.mapped.volume.objectfile import HEADER_SIZE, said_object_id
from dash_brain.stores.mapped.volume.paths import draft_of
from dash_brain.stores.mapped.volume.spares import Spare, Spares

#: From this size on the room is allocated before anything is written: so a full disk is noticed at once.
RESERVE_FROM = 1 << 20
#: Buffers that one call of writev takes: IOV_MAX of Linux and macOS.
_PIECES_AT_ONCE = 1024

_UNNAMED = TMPFILE | os.O_RDWR
_NAMED = os.O_CREAT | os.O_EXCL | os.O_RDWR | NO_FOLLOW


class Draft(NamedTuple):
    """An object that is to be written.

    ``size`` is the bytes of its pieces, ``nbytes`` what they take in whole pages; ``times`` are those of the
    file. ``replaces``: the id of the object that has to lie there, see ``Store.put``.
    """

    path: str
    key: str
    object_id: str
    pieces: Sequence[Frame]
    size: int
    nbytes: int
    now: float
    times: tuple[int, int]
    replaces: str | None


#: Gives an object its name, and returns what had that name.
Publish: TypeAlias = Callable[[Draft], "Entry | None"]


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


def best_for(root: int, locks: LockTable, spares: Spares) -> Publish:
    """Return the way of publishing that suits this folder."""
    if has_unnamed_files(root):
        return PublishUnnamed(root, locks, spares)
    return partial(publish_named, root, locks)


class PublishUnnamed:
    """Write a file without a name, then link it: a writer that is killed leaves nothing behind.

    A name that this process has replaced before is likely to be replaced again. So a small file is written as
    a draft at once, under the lock that replacing takes anyway, which saves a quarter of the time. A writer
    that is killed leaves a draft of a few pages; the next holder of the lock removes it: a writer of the key,
    or the sweep.

    A large file is written into a spare if there is one.
    """

    #: Bytes up to which a file is small.
    SMALL = 64 << 10
    #: Names that are remembered; for each that is forgotten one put is slower.
    NAMES = 10_000

    def __init__(self, root: int, locks: LockTable, spares: Spares) -> None:
        self._root = root
        self._locks = locks
        self._spares = spares
        self._replaced: set[str] = set()

    def __call__(self, draft: Draft, large: LargeFiles | None = None) -> Entry | None:
        """Make the file in place of what was there, and return that."""
        if draft.nbytes <= self.SMALL and draft.path in self._replaced:
            return publish_named(self._root, self._locks, draft)
        if draft.size >= LARGE and large is None:
            return self._publish_large(draft)
        root = self._root
        descriptor = os.open(os.path.dirname(draft.path), _UNNAMED, 0o600, dir_fd=root)
        try:
            fill(descriptor, draft, large)
            if draft.replaces in (None, ABSENT) and _link_if_free(descriptor, draft.path, root):
                return None
            self._note(draft.path)
            return _replace(root, self._locks, draft, descriptor, self._spares)
        finally:
            os.close(descriptor)

    def _publish_large(self, draft: Draft) -> Entry | None:
        with self._spares.taken(draft.nbytes) as spare:
            if spare is not None and self._rewrite(spare, draft):
                with self._locks.hold(draft_of(draft.path)[0]):
                    return take_place(self._root, draft, spare.name, self._spares)
        return self(draft, self._spares.large)

    def _rewrite(self, spare: Spare, draft: Draft) -> bool:
        """Write an object into a spare, and say whether nobody opened that meanwhile."""
        # Raises when the folder is missing, before anything is written.
        os.stat(os.path.dirname(draft.path), dir_fd=self._root)
        if spare.had > draft.size:
            os.ftruncate(spare.file, draft.size)
        fill(spare.file, draft, self._spares.large, min(spare.had, draft.size))
        if not file_leases.is_whole(spare.file):
            return False
        file_leases.free(spare.file)  # nothing is written from here on; readers open it once it has its name
        return True

    def _note(self, path: str) -> None:
        if len(self._replaced) >= self.NAMES:
            self._replaced.clear()
        self._replaced.add(path)


def _replace(root: int, locks: LockTable, draft: Draft, descriptor: int, spares: Spares) -> Entry | None:
    """Put the file in the place of another, and return that.

    linkat never replaces a name: so the file is linked under a hidden one, which is renamed. After a crash
    between the two, the next holder of the lock removes the hidden name: a writer of the key, or the sweep.
    """
    number, hidden = draft_of(draft.path)
    with locks.hold(number):
        try:
            _link(descriptor, hidden, root)
        except FileExistsError:
            remove(hidden, root)
            with _alone():
                _link(descriptor, hidden, root)
        try:
            return take_place(root, draft, hidden, spares)
        except BaseException:
            remove(hidden, root)
            raise


def publish_named(root: int, locks: LockTable, draft: Draft) -> Entry | None:
    """Write a hidden file under the key's lock, and rename it."""
    number, hidden = draft_of(draft.path)
    with locks.hold(number):
        try:
            descriptor = os.open(hidden, _NAMED, 0o600, dir_fd=root)
        except FileExistsError:
            remove(hidden, root)
            with _alone():
                descriptor = os.open(hidden, _NAMED, 0o600, dir_fd=root)
        try:
            fill(descriptor, draft)
            return take_place(root, draft, hidden)
        except BaseException:
            remove(hidden, root)
            raise
        finally:
            os.close(descriptor)


def publish_link(root: int, locks: LockTable, draft: Draft, text: str) -> Entry | None:
    """Make a link that stands for an object which lies elsewhere, in place of what was there."""
    number, hidden = draft_of(draft.path)
    with locks.hold(number):
        remove(hidden, root)
        os.symlink(text, hidden, dir_fd=root)
        try:
            os.utime(hidden, ns=draft.times, dir_fd=root, follow_symlinks=False)
            return take_place(root, draft, hidden)
        except BaseException:
            remove(hidden, root)
            raise


def take_place(root: int, draft: Draft, hidden: str, spares: Spares | None = None) -> Entry | None:
    """Rename a hidden file to the name of its object, and return the object that it replaces.

    The caller holds the lock of the path. The file of the old object may become one of the ``spares``.
    """
    replaced = _expected(root, draft)
    if replaced is None:
        # It was removed meanwhile. A new name is published without the lock, so there may be an object again.
        with contextlib.suppress(FileExistsError):
            os.link(hidden, draft.path, src_dir_fd=root, dst_dir_fd=root, follow_symlinks=False)
            with contextlib.suppress(OSError):  # it is published; the next holder removes the draft
                remove(hidden, root)
            return None
        replaced = _expected(root, draft)
    if spares is not None and replaced is not None:
        spares.keep(draft.path, replaced)
    os.rename(hidden, draft.path, src_dir_fd=root, dst_dir_fd=root)
    return replaced


def _expected(root: int, draft: Draft) -> Entry | None:
    """Return what lies under the path, whose lock is held, if that is what the draft replaces."""
    try:
        found = os.stat(draft.path, dir_fd=root, follow_symlinks=False)
    except FileNotFoundError:
        entry = None
    else:
        regular = stat.S_ISREG(found.st_mode)
        nbytes = -(-found.st_size // PAGE) * PAGE
        entry = Entry(found, nbytes) if regular else entry_of(draft.path, root, found)
    if draft.replaces is not None:
        gone = entry is None or entry.has_expired(draft.now)
        if draft.replaces != (ABSENT if gone else object_id(draft.path, root)):
            raise conflict(draft.key)
    return entry


def object_id(path: str, root: int) -> str:
    """Return the id of the object under a path, as it says itself, unverified."""
    entry = entry_of(path, root, os.stat(path, dir_fd=root, follow_symlinks=False))
    if entry is not None and entry.link is not None:
        return entry.link.file
    file = open_object(path, root)
    try:
        return said_object_id(os.pread(file, HEADER_SIZE, 0))
    finally:
        os.close(file)


def _link(descriptor: int, path: str, root: int) -> None:
    # Only with a directory descriptor does os.link call linkat with AT_SYMLINK_FOLLOW. Without one it
    # calls link, which would try to link the entry in /proc itself.
    os.link(f"/proc/self/fd/{descriptor}", path, dst_dir_fd=root)


def _link_if_free(descriptor: int, path: str, root: int) -> bool:
    try:
        _link(descriptor, path, root)
    except FileExistsError:
        return False
    return True


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Treat the folder as removed when a draft is there already, which only the holder of its lock makes.

    Two processes hold one lock when somebody emptied the folder, and so the file of locks was made again.
    Then the folder has to be opened again, too.
    """
    try:
        yield
    except FileExistsError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error


def create_once(root: int, locks: LockTable, name: str, content: bytes) -> None:
    """Make a file of the store itself unless there is one: the first writer wins."""
    # Each writer has a draft of its own, and links it. A shared draft would not do: when somebody empties the
    # folder meanwhile, there is another file of locks, and two writers would hold the lock of the draft.
    number, hidden = draft_of(f"{name} {os.urandom(8).hex()}")
    with locks.hold(number):
        descriptor = os.open(hidden, _NAMED, 0o600, dir_fd=root)
        try:
            if os.write(descriptor, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fchmod(descriptor, 0o600)
            with contextlib.suppress(FileExistsError):
                os.link(hidden, name, src_dir_fd=root, dst_dir_fd=root)
        finally:
            os.close(descriptor)
            remove(hidden, root)


def fill(file: int, draft: Draft, large: LargeFiles | None = None, had: int = 0) -> None:
    """Write an object into a file, and make that readable by its owner only, whatever the umask.

    The file is new, or a spare that ``had`` so many bytes; nobody reads it.
    """
    try:
        if large is None or not large.write(file, draft.pieces, draft.size, had):
            if draft.size >= RESERVE_FROM:
                reserve(file, draft.size)
            if os.writev(file, draft.pieces[:_PIECES_AT_ONCE]) != draft.size:
                _write_rest(file, draft.pieces)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        raise no_room(error) from error  # of the container, whose memory holds shared memory too
    os.fchmod(file, 0o400)
    os.utime(file, ns=draft.times)


def reserve(file: int, size: int) -> None:
    """Take the room for ``size`` bytes, where the file system can."""
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:
        pass  # macOS has none
    except OSError as error:
        if error.errno not in LACKING:
            raise


def _write_rest(file: int, pieces: Sequence[Frame]) -> None:
    """Write what the first call of writev left."""
    number, begun = _where(pieces, 0, os.lseek(file, 0, os.SEEK_CUR))
    while number < len(pieces):
        rest = memoryview(pieces[number])[begun:]
        written = os.writev(file, [rest, *pieces[number + 1 : number + _PIECES_AT_ONCE]])
        if not written:
            raise OSError(errno.EIO, "the file takes no more bytes")
        number, begun = _where(pieces, number, begun + written)


def _where(pieces: Sequence[Frame], number: int, written: int) -> tuple[int, int]:
    """Return the piece in which so many bytes, counted from piece ``number`` on, end; and how far in."""
    while number < len(pieces) and written >= len(pieces[number]):
        written -= len(pieces[number])
        number += 1
    return number, written
