"""The folder of a dump: who may have written into it, and its few kinds of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from dash_brain.errors import StoreError, StoreFull, StoreUnavailable
from dash_brain.stores.base import Frame
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.system.faults import typed
from dash_brain.stores.mapped.volume import pages
from dash_brain.stores.mapped.volume.folder import SECRET_SIZE

try:
    import fcntl
except ImportError:  # Windows, where nothing here works
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".value"

_KEY = "key"
_READ = os.O_RDONLY | platform.NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)  # a planted pipe would not end
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | platform.NO_FOLLOW


class DumpFolder:
    """An open folder, reached through one descriptor."""

    def __init__(self, descriptor: int, shown: str) -> None:
        self._descriptor = descriptor
        self._shown = shown

    def values(self) -> set[str]:
        """Return the names of the files that hold values."""
        return {name for name in os.listdir(self._descriptor) if name.endswith(SUFFIX)}

    def write(self, name: str, pieces: Iterable[Frame]) -> None:
        """Write a new file, which only its owner can read."""
        descriptor = os.open(name, _NEW, 0o600, dir_fd=self._descriptor)
        with open(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(descriptor)

    def replace(self, name: str, content: bytes) -> None:
        """Write a file in place of an older one: after a crash it is the one or the other."""
        draft = f".{name}"
        self.remove(draft)
        self.write(draft, [content])
        os.rename(draft, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        os.fsync(self._descriptor)

    def find(self, name: str) -> None:
        """Raise ``FileNotFoundError`` when there is no such file."""
        os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def read(self, name: str) -> bytearray:
        """Return the content of a file."""
        descriptor = os.open(name, _READ, dir_fd=self._descriptor)
        try:
            return pages.read(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is fine."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def remove_key(self) -> None:
        """Remove the folder's own key: it signs nothing any more."""
        self.remove(_KEY)

    def make_key(self) -> None:
        """Make the folder's own key, if it has none; nobody else may be able to write into the folder."""
        self._check_private(os.fstat(self._descriptor), 0o022, "")
        try:
            os.stat(_KEY, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            self.replace(_KEY, os.urandom(SECRET_SIZE))

    def key(self) -> bytes:
        """Return the folder's own key; refuse one that another user could have read or replaced."""
        self._check_private(os.fstat(self._descriptor), 0o022, "")
        try:
            found = os.stat(_KEY, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            raise StoreUnavailable(
                f"The dump in {self._shown} was made with a key= of its owner. Load it in Python with the "
                "same one: Brain(NAMESPACE).load(FOLDER, key=...)."
            ) from None
        self._check_private(found, 0o077, f"/{_KEY}")
        key = bytes(self.read(_KEY))
        if len(key) != SECRET_SIZE:
            raise StoreUnavailable(
                f"{self._shown}/{_KEY} is damaged, so the dump there cannot be loaded. Copy it here once "
                "more, or make a new one."
            )
        return key

    def _check_private(self, found: os.stat_result, others: int, name: str) -> None:
        if found.st_uid == os.geteuid() and not found.st_mode & others:
            return
        mode = "go-w" if others == 0o022 else "go="
        raise StoreUnavailable(
            f"{self._shown}{name} can be changed or read by another user, who could plant what runs here. "
            f"When you trust what is in it: chown it to yourself and chmod {mode} it; else make the dump "
            "with key=."
        )


@contextmanager
def opened(path: str | os.PathLike[str], *, writing: bool) -> Iterator[DumpFolder]:
    """Open the folder at ``path``; its one writer is alone there. Faults are typed.

    Raises
    ------
    StoreFull, StoreUnavailable
        When something goes wrong with it.
    """
    shown = os.path.abspath(os.fspath(path))
    try:
        descriptor = _open(shown, writing)
        try:
            yield DumpFolder(descriptor, shown)
        finally:
            os.close(descriptor)  # and with it the lock
    except StoreError:
        raise
    except OSError as error:
        raise _typed(error, shown, writing) from error


def _typed(error: OSError, shown: str, writing: bool) -> StoreError:
    if isinstance(error, FileNotFoundError) and not writing:
        return StoreUnavailable(f"There is no dump in {shown}; give the folder that one was made in.")
    full = typed(error)
    if isinstance(full, StoreFull):
        return full
    return StoreUnavailable(f"The dump in {shown} cannot be used: {error.strerror}; choose another folder.")


def _open(shown: str, writing: bool) -> int:
    if not platform.SUPPORTED:
        raise StoreUnavailable("This system has no private folders, which a dump needs.")
    if writing:
        os.makedirs(shown, mode=0o700, exist_ok=True)
    descriptor = os.open(shown, os.O_RDONLY | platform.FOLDER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if writing else fcntl.LOCK_SH)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
