"""The copies themselves: objects of a local store, which may fail or lose any of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from dash_brain.common.log import warn_of_store
from dash_brain.errors import DecodeError, StoreError, ValueMissing
from dash_brain.stores.base import Frames, Store, needs_lock
from dash_brain.stores.mapped.local import SharedMemoryStore
from dash_brain.stores.namespaces import NEAR_LIFE


class CopyStore(SharedMemoryStore):
    """Shared memory for copies: what has no room is evicted, and not spilled."""

    _spills = False


class Copies:
    """Copies in a local store. Whatever goes wrong with that costs a copy, and is said once.

    Each lies under the key of its original, with the id of that as the last frame: the first one is the
    stream, which the local store verifies before anybody unpickles it.

    Parameters
    ----------
    store
        The local store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def take(self, namespace: str, key: str, object_id: str | None = None) -> Frames | None:
        """Return the frames of the copy, private to the caller; None when there is none of this object.

        Without ``object_id`` of whichever object was copied.
        """
        with self._forgiving():
            *frames, tail = self.store.get(_space(namespace), key)
            if object_id is None or bytes(tail) == object_id.encode():
                return frames
        return None

    def keep(self, namespace: str, key: str, object_id: str, frames: Frames, ttl: float | None) -> None:
        """Keep a copy for as long as the original lives, but no longer than ``NEAR_LIFE``."""
        with self._forgiving():
            self.store.put(_space(namespace), key, [*frames, object_id.encode()], ttl=_life(ttl))

    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        """Let a copy, if there is one, live as long as its original does."""
        with self._forgiving():
            if self.store.exists(_space(namespace), key):  # most values are small, and have none
                self.store.touch(_space(namespace), key, _life(ttl))

    def has(self, namespace: str, key: str) -> bool:
        """Say whether there is a copy."""
        with self._forgiving():
            return self.store.exists(_space(namespace), key)
        return False

    def remove(self, namespace: str, key: str, object_id: str | None = None) -> None:
        """Remove the copy of an object that is gone."""
        with self._forgiving():
            if object_id is None or self.take(namespace, key, object_id) is not None:
                self.store.delete(_space(namespace), key)

    def drop(self, namespace: str) -> None:
        """Remove all copies of what lay in a namespace."""
        with self._forgiving():
            self.store.drop(_space(namespace))

    def sweep(self) -> None:
        """Remove what has expired."""
        with self._forgiving():
            self.store.sweep()

    @contextmanager
    def lock(self, namespace: str, key: str) -> Iterator[None]:
        """Be the only one on this host who fetches the object; where that fails, one of several."""
        with ExitStack() as held:
            with self._forgiving():
                held.enter_context(needs_lock(self.store).lock(f"{_space(namespace)}/{key}"))
            yield

    def close(self) -> None:
        """Give back descriptors."""
        self.store.close()

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            with suppress(ValueMissing):
                yield
        except (StoreError, DecodeError) as error:
            warn_of_store(
                ("near copies", repr(self.store), type(error)),
                f"The near copies of this host fail, so values are fetched anew for each read: {error}",
            )


def _space(namespace: str) -> str:
    return f"near/{namespace}"


def _life(ttl: float | None) -> float:
    return NEAR_LIFE if ttl is None else min(ttl, NEAR_LIFE)
