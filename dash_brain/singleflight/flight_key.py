"""What is to be made once."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from dash_brain.stores.base import Store

#: A store, by identity, and a lock of it. Two that open the same one meet at its lock only.
Meeting: TypeAlias = "tuple[int, str]"


class FlightKey(NamedTuple):
    """What is to be made once: a lock of a store, and the name that people have for it."""

    store: Store
    lock: str
    name: str

    @property
    def meeting(self) -> Meeting:
        """Where those in this process meet."""
        return id(self.store), self.lock

    @property
    def id(self) -> str:
        """What tells it from all others, those of other stores too, in every process; it reveals nothing."""
        return blake2b(self.lock.encode(), key=self.store.secret(), digest_size=16).hexdigest()
