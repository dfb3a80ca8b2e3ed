"""Objects as immutable files, mapped by their readers: the same code for shared memory and for disk.

A put writes a new file and gives it its name; a get maps the file, private to the reader. Nothing is ever
written into a file that has a name, nor is it truncated: so a reader keeps what it holds.

The times of a file say what changes in an object's life: its access time is when it was last used, its
modification time when it expires (0: never). So neither a read nor a new ttl rewrites anything.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Concatenate, ParamSpec, TypeVar

from dash_brain.errors import DecodeError, StoreUnavailable, ValueMissing
from dash_brain.stores import files, objects, sweeping, walking
from dash_brain.stores.base import Frames, ObjectInfo, Store, expires_at
from dash_brain.stores.expected import Expected
from dash_brain.stores.faults import faults_are_typed, missing, unseen
from dash_brain.stores.folder import Root
from dash_brain.stores.forks import reset_in_children
from dash_brain.stores.objectfile import Label
from dash_brain.stores.places import folder_of, label_of, path_of
from dash_brain.stores.removing import remove_object
from dash_brain.stores.sizes import parse_size, shown_size
from dash_brain.stores.spilling import note_times
from dash_brain.stores.timer import Timer

_log = logging.getLogger("dash_brain")

P = ParamSpec("P")
T = TypeVar("T")

_SWEEP_EVERY = 30.0
#: How often a root is opened that somebody removes meanwhile.
_ATTEMPTS = 20

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class MappedFiles(Store):
    """Objects as files in the private folder ``dash_brain-<uid>/<name>`` below ``folder``."""

    _Root = Root
    #: Whether values that have no room go to another folder, on disk.
    _spills = False

    def __init__(
        self,
        folder: str,
        name: str,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        size: int | str | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"A store's name has letters, digits, '.', '_' and '-' only, and not {name!r}.")
        self.folder = folder
        self.name = name
        self._clock = clock
        self._monotonic = monotonic
        self._size = None if size is None else parse_size(size)
        self._sweep_due = monotonic()
        self._opening = threading.Lock()
        self._root: Root | None = None
        self._timer = Timer(self, _SWEEP_EVERY)
        reset_in_children(self)

    @property
    def place(self) -> str:
        """The folder that everything lies in."""
        return os.path.join(self.folder, f"dash_brain-{os.geteuid()}", self.name)

    @faults_are_typed
    def put(
        self,
        namespace: str,
        key: str,
        frames: Frames,
        *,
        ttl: float | None = None,
        meta: Mapping[str, str] | None = None,
        quota: int | None = None,
        replaces: str | None = None,
    ) -> str:
        now = self._clock()
        path, label = path_of(namespace, key), label_of(namespace, key, meta)
        expires = expires_at(ttl, now)
        expected = None if replaces is None else Expected(replaces, key, now)
        object_id = self._on_living_root(objects.put, path, frames, label, now, expires, quota, expected)
        if self._monotonic() >= self._sweep_due:
            self.sweep_if_nobody_did()
        if ttl is not None:
            self._timer.start()
        return object_id

    @faults_are_typed
    def get(self, namespace: str, key: str) -> Frames:
        return self._on_object(namespace, key, objects.read)

    @faults_are_typed
    def info(self, namespace: str, key: str) -> ObjectInfo:
        head, found = self._on_object(namespace, key, objects.read_info)
        return ObjectInfo(
            namespace=namespace,
            key=key,
            object_id=head.object_id.hex(),
            nbytes=files.occupied(found.st_size),
            created=head.created,
            used=found.st_atime,
            expires=files.expiry(found),
            meta=Label.from_bytes(bytes(head.label)).meta,
        )

    @faults_are_typed
    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        expires = expires_at(ttl, self._clock())

        def touch(root: Root, path: str, file: int, _: os.stat_result, now: float) -> bool:
            with root.hold(path):
                found = os.fstat(file)
                if not found.st_nlink:  # while we waited: another value lies there by now, or none
                    return False
                if files.has_expired(found, now):
                    raise FileNotFoundError
                files.set_times(file, now, expires)
                note_times(root, path)
                return True

        while not self._on_object(namespace, key, touch):
            pass

    @faults_are_typed
    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        path = path_of(namespace, key)

        def delete(root: Root) -> bool:
            now = self._clock()
            removed = remove_object(root, path, now, object_id)
            return removed is not None and not removed.may_go(now)

        try:
            return self._on_living_root(delete)
        except FileNotFoundError:
            return False

    @faults_are_typed
    def drop(self, namespace: str) -> None:
        folder = folder_of(namespace)
        self._on_living_root(lambda root: sweeping.remove_all(root, folder, self._clock()))

    @faults_are_typed
    def usage(self) -> int:
        return self._on_living_root(lambda root: root.ledger.used())

    @faults_are_typed
    def budget(self) -> int:
        """Return how many bytes the store may hold: as it was set, but never more than its place allows."""
        return self._on_living_root(lambda root: root.room.budget())

    @faults_are_typed
    def resize(self, nbytes: int) -> None:
        """Let the store hold ``nbytes`` bytes, for all who open it. No value is lost.

        Raises
        ------
        StoreFull
            When it holds more already; nothing changes then.
        """
        self._on_living_root(lambda root: root.room.resize(parse_size(nbytes)))

    @faults_are_typed
    def sweep(self) -> int:
        def sweep(root: Root) -> int:
            with root.hold("sweep"):
                return sweeping.sweep(root, self._clock())

        return self._on_living_root(sweep)

    @faults_are_typed
    def secret(self) -> bytes:
        return self._on_living_root(lambda root: root.secret)

    def close(self) -> None:
        self._timer.stop()
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
        """Begin anew in a child: its parent's lock may be held, and a worker may become another user."""
        self._opening = threading.Lock()
        self._root = None
        self._timer.reset_after_fork()

    @faults_are_typed
    def _lock(self, key: str, held: ExitStack) -> None:
        def lock(root: Root) -> None:
            held.enter_context(root.hold(f"lock:{key}"))
            if root.gone():  # while we waited: who comes now locks another file
                held.close()
                raise FileNotFoundError

        self._on_living_root(lock)

    def _on_object(self, namespace: str, key: str, look: objects.Look[T]) -> T:
        path, now = path_of(namespace, key), self._clock()
        try:
            return self._on_root(objects.with_object, path, look, now)
        except FileNotFoundError:
            raise self._missing(key, path, now) from None

    def _missing(self, key: str, path: str, now: float) -> ValueMissing:
        root = self._root
        if root is None:
            return missing(key)
        entry = root.look(path)
        if entry is not None and entry.away and not entry.may_go(now):
            return unseen(key)
        return missing(key, root.removals.recall(path), now=now, made=root.ledger.made)

    def _on_living_root(
        self, work: Callable[Concatenate[Root, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def checked(root: Root) -> T:
            if root.outdated():
                raise FileNotFoundError
            return work(root, *args, **kwargs)

        return self._on_root(checked)

    def _on_root(self, work: Callable[Concatenate[Root, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        # A hit proves that the folder is there; only a failure asks whether it was removed under us.
        while True:
            root = self._root or self._open_root()
            try:
                return work(root, *args, **kwargs)
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
                root = self._Root(self.folder, self.name)
                if self._size is not None:
                    _set_budget(root, self._size)
                root.spill.allowed = self._spills and root.room.in_memory
                root.room.warn_if_small(root.shown)
                return root
        raise StoreUnavailable(f"The store folder in {self.folder} is removed as often as it is made.")

    def sweep_if_nobody_did(self) -> None:
        """Sweep, unless somebody did lately or does now."""
        self._sweep_due = self._monotonic() + _SWEEP_EVERY

        def sweep(root: Root) -> None:
            with root.hold_if_free("sweep") as held:
                if held and not 0 <= self._clock() - root.swept() < _SWEEP_EVERY:
                    sweeping.sweep(root, self._clock())

        # Whoever brought us here wanted something else; what is wrong will meet the next caller.
        with suppress(OSError):
            self._on_root(sweep)


def _set_budget(root: Root, nbytes: int) -> None:
    """Set the budget of a new store; that of one which has a budget belongs to all who open it."""
    found = root.ledger.budget
    if not found:
        root.ledger.budget = nbytes
    elif found != nbytes:
        _log.warning(
            "The store %s has a budget of %s already, so size= with %s changes nothing; Brain.resize() does.",
            root.shown,
            shown_size(found),
            shown_size(nbytes),
        )
