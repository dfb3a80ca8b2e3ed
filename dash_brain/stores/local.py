"""Objects as immutable files, mapped by their readers: the same code for shared memory and for disk.

A put writes a new file and gives it its name; a get maps the file, private to the reader. Nothing is ever
written into a file that has a name, nor is it truncated: so a reader keeps what it holds.

The times of a file say what changes in an object's life: its access time is when it was last used, its
modification time when it expires (0: never). So neither a read nor a new ttl rewrites anything.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

from dash_brain.errors import DecodeError, StoreUnavailable
from dash_brain.stores import files, walking
from dash_brain.stores.base import Frames, ObjectInfo, Store, expires_at, new_object_id
from dash_brain.stores.faults import faults_are_typed, missing
from dash_brain.stores.folder import Root
from dash_brain.stores.forks import reset_in_children
from dash_brain.stores.objectfile import Head, Label, bad_object, compose, read_head, read_object
from dash_brain.stores.places import folder_of, label_of, path_of
from dash_brain.stores.platform import NO_ATIME, NO_FOLLOW, default_folder

T = TypeVar("T")

_SWEEP_EVERY = 30.0
#: A use is noted when the last one is longer ago; so many reads in a row cost no more than one note.
_NOTE_USE_AFTER = 1.0
#: How often a put makes its folder anew, should a sweep remove the empty one each time.
_ATTEMPTS = 20

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: How opening what is no file of ours fails: a link, something in a folder's place, another user's.
_NOT_OURS = {errno.ELOOP, errno.ENOTDIR, errno.EPERM}

# Not blocking: a planted pipe would keep us waiting. No access time: it means what we note in it.
_READ = os.O_RDONLY | NO_FOLLOW | NO_ATIME | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


class _LocalStore(Store):
    """Objects as files in the private folder ``dash_brain-<uid>/<name>`` below ``folder``."""

    _Root = Root

    def __init__(
        self,
        folder: str,
        name: str,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"A store's name has letters, digits, '.', '_' and '-' only, and not {name!r}.")
        self.folder = folder
        self.name = name
        self._clock = clock
        self._monotonic = monotonic
        self._sweep_due = monotonic()
        self._opening = threading.Lock()
        self._root: Root | None = None
        reset_in_children(self)

    @faults_are_typed
    def put(
        self,
        namespace: str,
        key: str,
        frames: Frames,
        *,
        ttl: float | None = None,
        meta: Mapping[str, str] | None = None,
    ) -> str:
        path, object_id, now = path_of(namespace, key), new_object_id(), self._clock()
        expires = expires_at(ttl, now)
        label = label_of(namespace, key, meta).to_bytes()

        def write(root: Root) -> None:
            pieces = compose(
                frames, place=path, label=label, object_id=object_id, created=now, seal=root.seal
            )
            _publish(root, path, lambda file: files.fill(file, pieces, now, expires))

        self._on_living_root(write)
        self._sweep_if_due()
        return object_id

    @faults_are_typed
    def get(self, namespace: str, key: str) -> Frames:
        return self._on_object(namespace, key, self._read)

    @faults_are_typed
    def info(self, namespace: str, key: str) -> ObjectInfo:
        head, found = self._on_object(namespace, key, _read_info)
        return ObjectInfo(
            namespace=namespace,
            key=key,
            object_id=head.object_id,
            nbytes=files.occupied(found),
            created=head.created,
            used=found.st_atime,
            expires=files.expiry(found),
            meta=Label.from_bytes(head.label).meta,
        )

    @faults_are_typed
    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        now = self._clock()
        expires = expires_at(ttl, now)

        def touch(root: Root, path: str, file: int, _: os.stat_result) -> None:
            with root.hold(path):
                if not files.has_expired(os.fstat(file), now):
                    return files.set_times(file, now, expires)
            raise missing(key)

        self._on_object(namespace, key, touch)

    @faults_are_typed
    def delete(self, namespace: str, key: str) -> bool:
        path = path_of(namespace, key)

        def delete(root: Root) -> bool:
            # Under the lock what is seen is what is removed: replacing it takes the lock too.
            with root.hold(path):
                found = os.stat(path, dir_fd=root.descriptor, follow_symlinks=False)
                os.unlink(path, dir_fd=root.descriptor)
            return not files.has_expired(found, self._clock())

        try:
            return self._on_living_root(delete)
        except FileNotFoundError:
            return False

    @faults_are_typed
    def drop(self, namespace: str) -> None:
        folder = folder_of(namespace)
        self._on_living_root(lambda root: walking.remove_all(root, folder))

    @faults_are_typed
    def usage(self) -> int:
        return self._on_living_root(walking.usage)

    @faults_are_typed
    def sweep(self) -> int:
        def sweep(root: Root) -> int:
            with root.hold("sweep"):
                return walking.sweep(root, self._clock())

        return self._on_living_root(sweep)

    @faults_are_typed
    def secret(self) -> bytes:
        return self._on_living_root(lambda root: root.secret)

    def close(self) -> None:
        self._root = None  # closes its descriptors, when the last operation under way is over

    @faults_are_typed
    def scan(self, namespace: str) -> Iterator[str]:
        """Yield the keys of the namespace that have not expired, as they are now, in no order."""
        folder, now = folder_of(namespace), self._clock()
        return iter(self._on_living_root(lambda root: list(walking.keys(root, folder, now))))

    @faults_are_typed
    def namespaces(self, domain: str) -> Iterator[str]:
        """Yield the namespaces of a domain that hold objects, as they are now, in no order."""
        now = self._clock()
        return iter(self._on_living_root(lambda root: list(walking.namespaces(root, domain, now))))

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold ``key`` alone, across threads and processes, while the block runs."""
        with ExitStack() as held:
            self._lock(key, held)
            yield

    def reset_after_fork(self) -> None:
        """Give the child a lock of its own; the parent's may be held by a thread that it has not."""
        self._opening = threading.Lock()

    @faults_are_typed
    def _lock(self, key: str, held: ExitStack) -> None:
        def lock(root: Root) -> None:
            held.enter_context(root.hold(f"lock:{key}"))
            if root.gone():  # while we waited: who comes now locks another file
                held.close()
                raise FileNotFoundError

        self._on_living_root(lock)

    def _read(self, root: Root, path: str, file: int, found: os.stat_result) -> Frames:
        frames = read_object(files.content(file, found.st_size), path, root.seal)
        now = self._clock()
        if now - found.st_atime > _NOTE_USE_AFTER:
            with suppress(OSError), root.hold_if_free(path) as held:
                # A new ttl is set under this lock too, so that we do not put back the old one.
                if held:
                    files.set_times(file, now, files.expiry(os.fstat(file)))
        return frames

    def _on_object(self, namespace: str, key: str, look: Callable[[Root, str, int, os.stat_result], T]) -> T:
        path = path_of(namespace, key)

        def work(root: Root) -> T:
            file = _open(root, path)
            try:
                found = os.fstat(file)
                if not stat.S_ISREG(found.st_mode):
                    raise bad_object("not a file")
                if found.st_mtime_ns and files.has_expired(found, self._clock()):
                    walking.remove_expired(root, path, self._clock())
                    raise FileNotFoundError
                return look(root, path, file, found)
            finally:
                os.close(file)

        try:
            return self._on_root(work)
        except FileNotFoundError:
            raise missing(key) from None

    def _on_living_root(self, work: Callable[[Root], T]) -> T:
        def checked(root: Root) -> T:
            if root.gone():
                raise FileNotFoundError
            return work(root)

        return self._on_root(checked)

    def _on_root(self, work: Callable[[Root], T]) -> T:
        # A hit proves that the folder is there; only a failure asks whether it was removed under us.
        while True:
            root = self._root or self._open_root()
            try:
                return work(root)
            except (FileNotFoundError, DecodeError):
                if not root.gone():
                    raise
                with self._opening:
                    if self._root is root:
                        self._root = None

    def _open_root(self) -> Root:
        with self._opening:
            if self._root is None:
                self._root = self._make_root()
            return self._root

    def _make_root(self) -> Root:
        for _ in range(_ATTEMPTS):
            # While we open it, the folder may be removed once more.
            with suppress(FileNotFoundError):
                return self._Root(self.folder, self.name)
        raise StoreUnavailable(f"The store folder in {self.folder} is removed as often as it is made.")

    def _sweep_if_due(self) -> None:
        """Sweep, unless somebody did lately or does now."""
        if self._monotonic() < self._sweep_due:
            return
        self._sweep_due = self._monotonic() + _SWEEP_EVERY

        def sweep(root: Root) -> None:
            with root.hold_if_free("sweep") as held:
                if held and not 0 <= self._clock() - root.swept() < _SWEEP_EVERY:
                    walking.sweep(root, self._clock())

        # The put that brought us here has succeeded; what is wrong will meet the next caller.
        with suppress(OSError):
            self._on_root(sweep)


class SharedMemoryStore(_LocalStore):
    """Objects in shared memory, mapped by every process of this user on this host.

    Shared between processes: yes, of one user on one host; two containers have a ``/dev/shm`` each.
    Survives a restart: of any process, yes; of the host, no. Thread-safe: yes.

    Where ``/dev/shm`` is no tmpfs that we may write to, a temp folder takes its place: the same code, on
    disk.

    Parameters
    ----------
    name
        Name of the store: letters, digits, ``.``, ``_`` and ``-``. Processes with the same name share.
    clock, monotonic
        Seconds since the epoch, and seconds that never go back; tests pass their own.

    Examples
    --------
    >>> SharedMemoryStore("orders")  # nothing is opened before its first use
    SharedMemoryStore('orders')
    """

    def __init__(
        self,
        name: str = "default",
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(default_folder(), name, clock, monotonic)

    def __repr__(self) -> str:
        return f"SharedMemoryStore({self.name!r})"


class FileStore(_LocalStore):
    """Objects as files in a folder, mapped by every process of this user on this host.

    Shared between processes: yes, of one user on one host. Survives a restart: yes, of the host too.
    Thread-safe: yes. The folder should lie on a local disk: mapping and locks over a network are slow, and
    not always right.

    Parameters
    ----------
    folder
        Made if missing; it may be anyone's. The store is the private ``dash_brain-<uid>/<name>`` below it.
    name
        Name of the store: letters, digits, ``.``, ``_`` and ``-``.
    clock, monotonic
        Seconds since the epoch, and seconds that never go back; tests pass their own.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = FileStore(folder)
    ...     object_id = store.put("brain/default", "greeting", [b"hello"])
    ...     bytes(store.get("brain/default", "greeting")[0])
    b'hello'
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        name: str = "default",
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(os.path.abspath(os.fspath(folder)), name, clock, monotonic)

    def __repr__(self) -> str:
        return f"FileStore({self.folder!r}, {self.name!r})"


def _open(root: Root, path: str) -> int:
    try:
        return os.open(path, _READ, dir_fd=root.descriptor)
    except OSError as error:
        if error.errno in _NOT_OURS:
            raise bad_object(error.strerror) from error
        raise


def _read_info(root: Root, path: str, file: int, found: os.stat_result) -> tuple[Head, os.stat_result]:
    raw = memoryview(files.head(file, found.st_size))
    return read_head(raw, found.st_size, path, root.seal), found


def _publish(root: Root, path: str, fill: Callable[[int], None]) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            return root.publish(root.descriptor, path, fill, lambda: root.hold(path))
        except (FileNotFoundError, PermissionError):
            if root.gone() or attempt == _ATTEMPTS - 1:
                raise
            root.make_folder(os.path.dirname(path))
    raise AssertionError("unreachable")
