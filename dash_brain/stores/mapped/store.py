"""The verbs of a store of mapped files. What each does is in a module of its name."""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Concatenate, ParamSpec, TypeVar

from dash_brain.common.forks import reset_in_children
from dash_brain.common.sizes import parse_size
from dash_brain.errors import DecodeError, StoreError, StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores.base import Bounded, Frames, Locks, ObjectInfo, Scans, Store, expires_at
from dash_brain.stores.counters import Counters, Counts
from dash_brain.stores.faults import missing, unseen
from dash_brain.stores.mapped import get, put, scan, sweep
from dash_brain.stores.mapped.space.space import Space, open_space
from dash_brain.stores.mapped.system.faults import typed
from dash_brain.stores.mapped.timer import Timer
from dash_brain.stores.mapped.volume.entries import expiry, occupied
from dash_brain.stores.mapped.volume.folder import FORMAT, Volume
from dash_brain.stores.mapped.volume.objectfile import Label
from dash_brain.stores.mapped.volume.paths import folder_of, label_of, path_of
from dash_brain.stores.mapped.volume.private import outer_folder
from dash_brain.stores.namespaces import Retention

P = ParamSpec("P")
T = TypeVar("T")

_SWEEP_EVERY = 30.0
#: How often a folder is opened again that was removed meanwhile.
_ATTEMPTS = 20

#: What large values are written into: pages of 2 MB and those of replaced values, or as the system has them.
PAGES = ("large", "plain")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class MappedStore(Store, Scans, Locks, Bounded):
    """Objects as files in the private folder ``dash_brain-<uid>/<name>@<format>`` below ``folder``."""

    shared = "host"

    _Volume = Volume
    #: Whether values that have no room go to another folder, on disk.
    _spills = False

    def __init__(
        self,
        folder: str,
        name: str,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        size: int | str | None = None,
        pages: str = "large",
    ) -> None:
        if pages not in PAGES:
            raise ValueError(f"pages= is one of {', '.join(PAGES)}, and not {pages!r}.")
        if not _NAME.fullmatch(name):
            raise ValueError(f"A store's name has letters, digits, '.', '_' and '-' only, and not {name!r}.")
        self.folder = folder
        self.name = name
        self._clock = clock
        self._monotonic = monotonic
        self._size = None if size is None else parse_size(size)
        self._plain = pages == "plain"
        self._sweep_due = monotonic()
        self._opening = threading.Lock()
        self._space: Space | None = None
        self._timer = Timer(self.sweep_if_nobody_did, _SWEEP_EVERY)
        reset_in_children(self)

    @property
    def place(self) -> str:
        """The folder that everything lies in."""
        return os.path.join(outer_folder(self.folder), f"{self.name}@{FORMAT}")

    @property
    def counters(self) -> Counters:
        try:
            return (self._space or self._open()).inventory.counters
        except (OSError, StoreError):  # it cannot be opened, which whoever uses it is told
            return super().counters

    def counted(self) -> Counts:
        if self._space is None and not os.path.isdir(self.place):  # looking makes no store
            return super().counters.read()
        with suppress(StoreError):
            return self._run_on_living(lambda space: space.inventory.counters.read())
        return super().counters.read()

    @property
    def spills(self) -> bool:
        """Whether what has no room goes to disk."""
        return self._run_on_living(lambda space: space.inventory.disk.allowed)

    def put(
        self,
        namespace: str,
        key: str,
        frames: Frames,
        *,
        ttl: float | None = None,
        meta: Mapping[str, str] | None = None,
        retention: Retention | None = None,
        replaces: str | None = None,
    ) -> str:
        now = self._clock()
        try:
            object_id = self._run(
                put.put,
                path_of(namespace, key),
                key,
                frames,
                label=label_of(namespace, key, tuple(meta.items()) if meta else ()),
                now=now,
                expires=None if ttl is None else expires_at(ttl, now),
                quota=None if retention is None else retention.quota,
                replaces=replaces,
            )
        except StoreFull:
            self.counters.note_refusal(namespace)
            raise
        except FileNotFoundError as error:
            raise typed(error) from error
        if self._monotonic() >= self._sweep_due:
            self.sweep_if_nobody_did()
        if ttl is not None:
            self._timer.start()
        return object_id

    def get(self, namespace: str, key: str) -> Frames:
        path, now = path_of(namespace, key), self._clock()
        try:
            return self._run(get.read, path, now)
        except FileNotFoundError:
            raise self._run(_missed, key, path, now) from None

    def info(self, namespace: str, key: str) -> ObjectInfo:
        head, opened = self._found(get.read_info, namespace, key)
        return ObjectInfo(
            namespace=namespace,
            key=key,
            object_id=head.object_id.hex(),
            nbytes=occupied(opened.state.st_size),
            created=head.created,
            used=opened.state.st_atime,
            expires=expiry(opened.found),
            meta=Label.from_bytes(bytes(head.label)).meta,
        )

    def exists(self, namespace: str, key: str) -> bool:
        with suppress(FileNotFoundError):
            return self._run(get.exists, path_of(namespace, key), self._clock())
        return False

    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        self._found(get.touch, namespace, key, ttl)

    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        path, now = path_of(namespace, key), self._clock()
        removed = self._run_on_living(lambda space: space.inventory.remove(path, now, object_id, spare=True))
        return removed is not None and not removed.has_expired(now)

    def drop(self, namespace: str) -> None:
        folder = folder_of(namespace)
        self._run_on_living(lambda space: sweep.drop(space.inventory, folder, self._clock()))

    def usage(self) -> int:
        return self._run_on_living(lambda space: space.inventory.ledger.used())

    def spilled(self) -> int:
        return self._run_on_living(lambda space: space.inventory.ledger.spilled())

    def budget(self) -> int:
        return self._run_on_living(lambda space: space.inventory.ledger.budget())

    def resize(self, nbytes: int) -> None:
        def resize(space: Space) -> None:
            space.inventory.volume.spares.trim()
            space.capacity.resize(parse_size(nbytes))

        self._run_on_living(resize)

    def sweep(self) -> int:
        def sweep_now(space: Space) -> int:
            with space.inventory.volume.hold("sweep"):
                return sweep.sweep(space.inventory, space.capacity, self._clock())

        return self._run_on_living(sweep_now)

    def secret(self) -> bytes:
        return self._run_on_living(lambda space: space.inventory.volume.secret)

    def close(self) -> None:
        self._timer.stop()
        self._space = None  # closes its descriptors, when the last operation under way is over

    def scan(self, namespace: str) -> Iterator[str]:
        folder, now = folder_of(namespace), self._clock()
        return iter(self._run_on_living(lambda space: list(scan.keys(space.inventory, folder, now))))

    def namespaces(self, domain: str) -> Iterator[str]:
        now = self._clock()
        return iter(self._run_on_living(lambda space: list(scan.namespaces(space.inventory, domain, now))))

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        with ExitStack() as held:

            def lock(space: Space) -> None:
                volume = space.inventory.volume
                held.enter_context(volume.hold(f"lock:{key}", math.inf))
                if volume.gone():  # removed while we waited: others lock a new file now
                    held.close()
                    raise FileNotFoundError

            self._run_on_living(lock)
            yield

    def sweep_if_nobody_did(self) -> None:
        """Sweep, unless any process did within the last seconds or does now."""
        self._sweep_due = self._monotonic() + _SWEEP_EVERY

        def sweep_now(space: Space) -> None:
            volume = space.inventory.volume
            with volume.hold_if_free("sweep") as held:
                if held and not 0 <= self._clock() - volume.swept() < _SWEEP_EVERY:
                    sweep.sweep(space.inventory, space.capacity, self._clock())

        # The caller wanted something else; a lasting fault is raised by the next operation.
        with suppress(OSError):
            self._run(sweep_now)

    def reset_after_fork(self) -> None:
        """Open the store again in a child: a lock may be held, and a worker may become another user."""
        self._opening = threading.Lock()
        self._space = None
        self._timer.reset_after_fork()

    def _found(
        self,
        work: Callable[Concatenate[Space, str, float, P], T],
        namespace: str,
        key: str,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do some work with an object that should be there, else say what is known of it."""
        path, now = path_of(namespace, key), self._clock()
        try:
            return self._run(work, path, now, *args, **kwargs)
        except FileNotFoundError:
            raise self._run(_missing, key, path, now) from None

    def _run_on_living(self, work: Callable[[Space], T]) -> T:
        """Do some work when the store is there still."""

        def checked(space: Space) -> T:
            if space.inventory.volume.outdated():
                raise FileNotFoundError
            return work(space)

        try:
            return self._run(checked)
        except FileNotFoundError as error:
            raise typed(error) from error

    def _run(self, work: Callable[Concatenate[Space, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do some work, once more if the store was removed under us, which is looked at after a failure only.

        ``FileNotFoundError`` when what the work looks for is not there, ``StoreError`` for any other fault.
        """
        while True:
            try:
                space = self._space or self._open()
                try:
                    return work(space, *args, **kwargs)
                except (FileNotFoundError, DecodeError):
                    if not space.inventory.volume.gone():
                        raise
                self._forget(space)
            except (StoreError, FileNotFoundError):
                raise
            except OSError as error:
                raise typed(error) from error

    def _forget(self, space: Space) -> None:
        with self._opening:
            if self._space is space:
                self._space = None

    def _open(self) -> Space:
        with self._opening:
            for _ in range(_ATTEMPTS):
                if self._space is not None:
                    break
                # While we open it, the folder may be removed once more.
                with suppress(FileNotFoundError):
                    volume = self._Volume(self.folder, self.name, plain=self._plain)
                    self._space = open_space(volume, self._size, spills=self._spills)
            if self._space is None:
                raise StoreUnavailable(
                    f"The store folder in {self.folder} cannot be made, or is removed as often as it is "
                    "made. Choose another place with file:///folder or shm://name."
                )
            return self._space


def _missed(space: Space, key: str, path: str, now: float) -> ValueMissing:
    """Return the error for a read of a key without a value, and count it."""
    error = _missing(space, key, path, now)
    space.inventory.counters.note_miss(path, error.reason)
    return error


def _missing(space: Space, key: str, path: str, now: float) -> ValueMissing:
    """Return the error for a key without a value, with what is known of that."""
    inventory = space.inventory
    entry = inventory.volume.look(path)
    if entry is not None and entry.link and not entry.has_expired(now):
        return unseen(key)
    return missing(key, inventory.tombstones.recall(path), now=now, made=inventory.ledger.made)
