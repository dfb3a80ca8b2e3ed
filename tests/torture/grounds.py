"""Where stores are tortured: in a small tmpfs of their own, or as near to that as this user may come."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from dash_brain.stores import FileStore
from dash_brain.stores.mapped.volume.folder import Volume
from dash_brain.stores.mapped.volume.large import LargeFiles
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import mounted, place

#: The two ways a local store works: as Linux can, and as every POSIX system can.
KINDS = [FileStore, FallbackStore]


class FailingLargeFiles(LargeFiles):
    """Large pages that the kernel refuses every other time, and maps that cannot be had."""

    def write(self, *arguments):
        return random.random() < 0.8 and super().write(*arguments)

    def _found_pages(self, *arguments):
        return random.random() < 0.5 and super()._found_pages(*arguments)


class FailingVolume(Volume):
    def _best_publish(self):
        self.spares.large = FailingLargeFiles(self.descriptor, plain=False)
        return super()._best_publish()


class FailingPages(FileStore):
    """A store that gets large pages, and writes through maps, at random only."""

    _Volume = FailingVolume


class PlainPages(FileStore):
    """A store without large pages and spares."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options, pages="plain")


#: Where large values are written into large pages and spares; where at random; and where never.
PAGES = [FileStore, FailingPages, PlainPages]


class SpillingStore(FileStore):
    """A store that spills to disk, as shared memory does, wherever it lies in memory."""

    _spills = True


#: What a store has of its own besides objects.
OWN_FILES = {"key", "locks", "ledger", "remembered"}
#: And one file for each session that has values, the name of its folders on disk, and one file for each lock
#: where the kernel has no better ones.
ACCOUNTS, LOCKS, SPILL = ".accounts", ".locks", "spill"
MAY_MOUNT = os.geteuid() == 0


@contextmanager
def ground(tmp_path: Path, options: str = "size=1g") -> Iterator[Path]:
    """Give a folder in memory: a tmpfs mounted with these options, or a plain folder without their limits."""
    if MAY_MOUNT:
        with mounted(tmp_path / "ground", options) as folder:
            yield folder
        return
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def small_ground(tmp_path: Path, megabytes: int, inodes: int) -> Iterator[Path]:
    """Give a folder that is soon full: for real, or by the word of the calls that would fill it."""
    with ground(tmp_path, f"size={megabytes}m,nr_inodes={inodes}") as folder:
        if MAY_MOUNT:
            yield folder
        else:
            with mock.patch("os.writev", _refusing(os.writev, folder, megabytes << 20, inodes)):
                yield folder


def _refusing(writev, folder, room, inodes):
    def refuse(file, pieces):
        sizes = [path.stat().st_size for path in folder.rglob("*")]
        if sum(sizes) + sum(map(len, pieces)) > room or len(sizes) >= inodes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return writev(file, pieces)

    return refuse


def objects(store) -> set[str]:
    """Return the paths of all that lies in a store besides its own files: objects and strays."""
    top = place(store)
    walk = ((os.path.relpath(folder, top), names) for folder, _, names in os.walk(top))
    paths = {os.path.normpath(f"{folder}/{name}") for folder, names in walk for name in names} - OWN_FILES
    return {path for path in paths if not path.startswith((ACCOUNTS, LOCKS, SPILL))}


def stale_locks(store) -> list[str]:
    """Return the files of locks that nobody holds, where locks are files."""
    folder = place(store) / LOCKS
    return [path.name for path in (folder.iterdir() if folder.exists() else ()) if not _is_held(path)]


def _is_held(path: Path) -> bool:
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def spilling_to(folder: Path):
    """Let stores spill into this folder, if it is on disk, while the block runs."""
    return mock.patch("dash_brain.stores.mapped.spill.roots.roots", return_value=[str(folder)])


def unaccounted(store) -> int:
    """Return how many bytes of the tmpfs belong to no name: files that are gone, but for somebody's map."""
    if not MAY_MOUNT:
        return 0
    found = os.statvfs(store.folder)
    files = [path.stat() for path in Path(store.folder).rglob("*") if path.is_file()]
    return (found.f_blocks - found.f_bfree) * found.f_frsize - sum(file.st_blocks for file in files) * 512
