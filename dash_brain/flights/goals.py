"""What is to be made once."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dash_brain.stores.base import Store

#: A store, by identity, and a key of it. Two that open the same one meet at its lock only.
Place: TypeAlias = "tuple[int, str]"


class Goal(NamedTuple):
    """What is to be made once: a lock of a store, and the name that people have for it."""

    store: Store
    key: str
    name: str

    @property
    def place(self) -> Place:
        """Where those in this process meet."""
        return id(self.store), self.key
