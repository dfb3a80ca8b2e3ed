"""Which checks are made of which store, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from dash_brain.cli.doctor import contents, huge_pages, keys, place, redis
from dash_brain.cli.doctor.finding import Finding, of_error
from dash_brain.cli.target import is_there
from dash_brain.errors import BrainError, StoreError
from dash_brain.settings import Settings, configure, current
from dash_brain.stores import NearCopy, Store, open_store
from dash_brain.stores.mapped.local import FileStore, SharedMemoryStore
from dash_brain.stores.mapped.store import MappedStore
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.system.default_folder import default_folder


def of_store(url: str | None) -> Iterator[Finding]:
    """Yield what is found of the store of a URL, or of the configured one."""
    try:
        configure(url)
        settings = current.use()
        store = open_store(settings.store_or_url)
    except (BrainError, ValueError) as error:
        yield of_error("settings", error)
        return
    if store.shared == "process":
        yield _of_process(store)
        return
    yield from contents.users(store)
    room = True
    for found in _place(store):
        room = room and found.level != "error"
        yield found
    yield from _works(settings, store, room)


def _of_process(store: Store) -> Finding:
    return Finding(
        "store",
        "note",
        f"{type(store).__name__} lies in the memory of the app's process, which nobody else sees.",
        "Serve an app with several workers on shm:// (Linux), file:///folder or redis://.",
    )


def _place(store: Store) -> Iterator[Finding]:
    """Yield what is found of the folder that values, or near copies of them, lie in."""
    if not platform.SUPPORTED:
        return
    if isinstance(store, NearCopy):
        folder, overflow = default_folder(), "has no copy on this host"
    elif isinstance(store, SharedMemoryStore):
        folder, overflow = store.folder, place.spilled()
    elif isinstance(store, MappedStore):
        folder, overflow = store.folder, "is refused"
    else:
        return
    if not isinstance(store, FileStore):
        yield from place.check_default(folder)
    facts = place.place(folder, _used(store), overflow)
    yield from place.check_room(facts)
    yield from place.check_container(facts)
    if facts.in_memory:
        yield from huge_pages.check(folder)


def _used(store: Store) -> int:
    """Return the bytes that a store holds; none where that cannot be known."""
    with suppress(StoreError):
        return store.usage() if isinstance(store, MappedStore) and is_there(store) else 0
    return 0


def _works(settings: Settings, store: Store, room: bool) -> Iterator[Finding]:
    """Yield what is found when the store is used."""
    if store.shared == "network" and not settings.secrets:
        yield keys.missing()
        return
    try:
        store.check()
        far = getattr(store, "wrapped", store)
        if hasattr(far, "server"):  # a Redis; its class is imported by those who use it
            yield from redis.check(far.server())
        yield from contents.check(store, with_room=room)
        yield from keys.check(settings, store)
    except BrainError as error:
        yield of_error("store", error)
