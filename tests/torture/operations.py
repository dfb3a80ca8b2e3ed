"""What a store is asked to do while system calls fail, and what may come of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from dash_brain.errors import ValueMissing
from dash_brain.stores.mapped import MappedStore
from dash_brain.stores.mapped.system.locks import lock_number
from dash_brain.stores.namespaces import VALUE
from dash_brain.testing import Clock
from tests.stores.places import place

SPACE, OTHER, DYING = "brain/faults", "brain/other", "brain/dying"
LONG = "long key " * 50

#: The key of a value, with its namespace.
Place: TypeAlias = "tuple[str, str]"

SMALL, LARGE = [b"stream", b"s" * 100], [b"stream", b"l" * 300_000]
NEW, HUGE = [b"stream", b"new" * 50], [b"stream", b"h" * (9 << 17), b"tail"]
MANY = [b"stream", *(b"%d" % number for number in range(1200))]

#: What goes when room is needed: it has a ttl.
DEAR: Place = ("session/someone", "dear")

#: What lies on disk in a store that spills.
SPILLED: Place = (SPACE, "spilled")

#: What lies in every store before an operation.
VALUES: dict[Place, list[bytes]] = {
    (SPACE, "small"): SMALL,
    (SPACE, "large"): LARGE,
    (SPACE, LONG): SMALL,
    (OTHER, "small"): SMALL,
    DEAR: LARGE,
}


class World:
    """A store with one of each: values small and large, expired ones, a dead writer's draft and lock.

    The name ``aside`` leads to a second store, which nobody has used yet. In a world that ``spills`` both
    have no room for a large value, and in the store one lies on disk, beside a file of a dead writer.
    """

    def __init__(self, kind: type[MappedStore], folder: Path, *, spills: bool = False) -> None:
        self.kind = type(kind.__name__, (kind,), {"_spills": True}) if spills else kind
        self.folder = folder
        self.clock, self.monotonic = Clock(), Clock(0)
        self.store = self.open()
        self.aside = self.open("aside", size=100_000 if spills else None)
        self.values = {**VALUES, SPILLED: LARGE} if spills else VALUES
        for (namespace, key), frames in VALUES.items():
            self.store.put(namespace, key, frames, meta={"type": "test"})
        for namespace, key in ((SPACE, "expired"), (DYING, "expired")):
            self.store.put(namespace, key, SMALL)
            self.store.touch(namespace, key, 1)  # not put with a ttl: that would start a thread
        for folder in (place(self.store) / SPACE, place(self.store) / ".locks"):
            if folder.exists():  # there are files of locks only where the kernel has no better ones
                (folder / f".{lock_number(f'{SPACE}/draft'):016x}").write_bytes(b"half")
        self.put_what_is_dear()
        if spills:
            self._spill()
        self.clock.advance(10)

    def _spill(self) -> None:
        self.store.resize(self.store.usage() + 20_000)
        self.store.put(*SPILLED, LARGE, meta={"type": "test"})
        (file,) = spilled_files(self.store)
        (file.parent / ("0" * 32)).write_bytes(b"half")

    def put_what_is_dear(self) -> None:
        """Put what goes when room is needed."""
        self.store.put(*DEAR, LARGE, meta={"type": "test"})
        self.store.touch(*DEAR, 3600)

    def open(self, name: str = "default", size: int | None = None) -> MappedStore:
        """Return the store as another process would open it."""
        return self.kind(str(self.folder), name, clock=self.clock, monotonic=self.monotonic, size=size)


@dataclass(frozen=True)
class Operation:
    """Something that a store is asked to do.

    ``changes`` says what lies where when it is done (None: nothing), ``aside`` the same of the second store.
    ``misses`` says that it ends with ``ValueMissing``, ``stepwise`` that it may stop half-way,
    ``evicts`` that what is dear may be gone whether it succeeds or not, ``spills`` that it is done in a store
    that has no room for a large value but on disk.
    """

    name: str
    run: Callable[[World], Any]
    changes: Mapping[Place, list[bytes] | None] = field(default_factory=dict)
    aside: Mapping[Place, list[bytes] | None] = field(default_factory=dict)
    misses: bool = False
    stepwise: bool = False
    evicts: bool = False
    spills: bool = False

    def __call__(self, world: World) -> Any:
        """Do it, and return its result in a form that can be compared."""
        if self.misses:
            with suppress(ValueMissing):
                raise AssertionError(f"there was {self.run(world)}")
            return None
        return self.run(world)


def _put(namespace: str, key: str, frames: list[bytes]) -> Operation:
    size = sum(map(len, frames))
    title = f"put {len(frames)} frames of {size} bytes as {key}"

    def put(world: World) -> None:
        world.store.put(namespace, key, frames)

    return Operation(title, put, {(namespace, key): frames})


def _put_that_sweeps(world: World) -> None:
    world.clock.advance(100)
    world.monotonic.advance(100)
    world.store.put(SPACE, "small", NEW)


def _put_that_evicts(world: World) -> None:
    world.store.resize(world.store.usage() + 4096)  # asks nothing of the system
    world.store.put(SPACE, "new", LARGE)


def _put_beyond_quota(world: World) -> None:
    world.store.put("session/someone", "new", LARGE, ttl=None, retention=VALUE.within(400_000))


def _get(key: str) -> Operation:
    def get(world: World) -> list[bytes]:
        return [bytes(frame) for frame in world.store.get(SPACE, key)]

    return Operation(f"get {key[:10]}", get)


def _put_on_disk(key: str, frames: list[bytes]) -> Operation:
    def put(world: World) -> None:
        world.store.put(SPACE, key, frames)

    changes = {(SPACE, key): frames}
    return Operation(f"put {sum(map(len, frames))} bytes as {key}", put, changes, evicts=True, spills=True)


def _first_spill(world: World) -> None:
    world.aside.put(SPACE, "new", LARGE)


def _lock(world: World) -> None:
    with world.store.lock("key"):
        pass


def _first_put(world: World) -> None:
    world.aside.put(SPACE, "new", NEW)


#: Everything that a store does. What is new in a store gets a line here.
OPERATIONS = [
    _put(SPACE, "new", NEW),
    _put(SPACE, "small", NEW),
    _put(SPACE, "expired", NEW),
    _put(SPACE, "large", HUGE),
    _put(SPACE, "many", MANY),
    _put("brain/new", "new", NEW),
    _put("session/new", "new", NEW),
    Operation("put that sweeps", _put_that_sweeps, {(SPACE, "small"): NEW}),
    Operation("put that evicts", _put_that_evicts, {(SPACE, "new"): LARGE}, evicts=True),
    Operation("put beyond the quota", _put_beyond_quota, {("session/someone", "new"): LARGE}, evicts=True),
    _get("small"),
    _get("large"),
    _get(LONG),
    Operation("get expired", lambda world: world.store.get(SPACE, "expired"), misses=True),
    Operation("info", lambda world: world.store.info(SPACE, "large").meta),
    Operation("info of a long key", lambda world: world.store.info(SPACE, LONG).nbytes),
    Operation("touch", lambda world: world.store.touch(SPACE, "small", 60)),
    Operation("delete", lambda world: world.store.delete(SPACE, "small"), {(SPACE, "small"): None}),
    Operation("delete nothing", lambda world: world.store.delete(SPACE, "nothing")),
    Operation("delete expired", lambda world: world.store.delete(SPACE, "expired")),
    Operation(
        "drop",
        lambda world: world.store.drop(SPACE),
        {where: None for where in VALUES if where[0] == SPACE},
        stepwise=True,
    ),
    Operation("sweep", lambda world: world.store.sweep()),
    Operation("usage", lambda world: world.store.usage()),
    Operation("scan", lambda world: sorted(world.store.scan(SPACE))),
    Operation("namespaces", lambda world: sorted(world.store.namespaces("brain"))),
    Operation("lock", _lock),
    Operation("open anew", lambda world: world.open().get(SPACE, "small") and None),
    Operation("first put", _first_put, aside={(SPACE, "new"): NEW}),
    # In a store that spills:
    _put_on_disk("on disk", LARGE),
    _put_on_disk("spilled", HUGE),
    _put_on_disk("spilled", NEW),
    Operation("first spill", _first_spill, aside={(SPACE, "new"): LARGE}, spills=True),
    Operation("get spilled", lambda world: [*map(bytes, world.store.get(*SPILLED))], spills=True),
    Operation("touch spilled", lambda world: world.store.touch(*SPILLED, 60), spills=True),
    Operation("delete spilled", lambda world: world.store.delete(*SPILLED), {SPILLED: None}, spills=True),
    Operation("sweep of spilled", lambda world: world.store.sweep(), spills=True),
]


def spilled_files(store: MappedStore) -> list[Path]:
    """Return the files on disk of a store."""
    record = place(store) / "spill"
    name, *where = os.readlink(record).split(":") if record.is_symlink() else [""]
    folders = [Path(one, f"dash_brain-{os.geteuid()}", name) for one in where]
    return [file for folder in folders for file in folder.glob("?" * 32)]


def listed(store: MappedStore) -> Iterator[Place]:
    """Yield the place of each value of a store."""
    for domain in ("brain", "session"):
        for namespace in store.namespaces(domain):
            yield from ((namespace, key) for key in store.scan(namespace))


def lying(store: MappedStore) -> Iterator[tuple[Place, list[bytes]]]:
    """Yield each value of a store with its place."""
    for where in listed(store):
        yield where, [bytes(frame) for frame in store.get(*where)]
