"""The stores of one host: shared memory, and a folder on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from dash_brain.stores.mapped.store import MappedStore
from dash_brain.stores.mapped.system.default_folder import default_folder


class SharedMemoryStore(MappedStore):
    """Objects in shared memory, mapped by every process of this user on this host.

    Shared between processes: yes, of one user on one host; two containers have a ``/dev/shm`` each.
    Survives a restart: of any process, yes; of the host, no. Thread-safe: yes.

    When it is full, new values go to a folder on disk (``/var/tmp``, or the temp folder), where they are read
    from as if they were here.

    Where ``/dev/shm`` is no tmpfs that we may write to, a temp folder takes its place: the same code, on
    disk. The log says so once; it also says when ``/dev/shm`` is small.

    Parameters
    ----------
    name
        Name of the store: letters, digits, ``.``, ``_`` and ``-``. Processes with the same name share.
    clock, monotonic
        Seconds since the epoch, and seconds that never go back; tests pass their own.
    size
        The budget of a new store, in bytes or as text: ``"2GiB"``. It is kept in the store, for all who open
        it, until somebody resizes it. By default, and at most, half of the file system or a quarter of the
        memory of this container, if that is less.
    pages
        ``"large"``: values of 4 MB and more are written into pages of 2 MB where the kernel gives them, and
        into the pages of what was replaced or deleted in the last 10 s. ``"plain"``: neither of both.

    Examples
    --------
    >>> SharedMemoryStore("orders")  # nothing is opened before its first use
    SharedMemoryStore('orders')
    """

    _spills = True

    def __init__(
        self,
        name: str = "default",
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        size: int | str | None = None,
        pages: str = "large",
    ) -> None:
        super().__init__(default_folder(), name, clock, monotonic, size, pages)

    def __repr__(self) -> str:
        return f"SharedMemoryStore({self.name!r})"


class FileStore(MappedStore):
    """Objects as files in a folder, mapped by every process of this user on this host.

    Shared between processes: yes, of one user on one host. Survives a restart: yes, of the host too.
    Thread-safe: yes. The folder should lie on a local disk: mapping and locks over a network are slow, and
    not always right.

    Parameters
    ----------
    folder
        Made if missing; it may be anyone's. The store is the private ``dash_brain-<uid>/<name>@<format>``
        below it.
    name
        Name of the store: letters, digits, ``.``, ``_`` and ``-``.
    clock, monotonic
        Seconds since the epoch, and seconds that never go back; tests pass their own.
    size
        The budget of a new store, in bytes or as text: ``"10GiB"``. It is kept in the store, for all who open
        it, until somebody resizes it. By default, and at most, half of the file system.
    pages
        As for :class:`SharedMemoryStore`, where the folder lies in memory; a disk has neither.

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
        size: int | str | None = None,
        pages: str = "large",
    ) -> None:
        super().__init__(os.path.abspath(os.fspath(folder)), name, clock, monotonic, size, pages)

    def __repr__(self) -> str:
        return f"FileStore({self.folder!r}, {self.name!r})"
