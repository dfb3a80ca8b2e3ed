"""Which folders on disk belong to a store: a file in the store says it of each.

Most stores have one. There is another for each process that sees another ``/var/tmp`` under that name: a
container, or a service with ``PrivateTmp=``.
"""

from __future__ import annotations

import json
import os
import re
from typing import NamedTuple

from dash_brain.stores import publishing
from dash_brain.stores.entries import READ

#: The names of the files, and the place that they speak of: see :func:`spill_places.identity`.
_NAME = re.compile("spill-([0-9a-f]+-[0-9a-f]+)")
_FIELDS = {"folder", "id"}


class Record(NamedTuple):
    """A folder: in which place it lies, under which name that is known, and which it is of those there."""

    place: str
    folder: str
    id: str

    @property
    def name(self) -> str:
        """The name of the folder there."""
        return f"spill-{self.id}"


def recorded(store: int) -> list[str]:
    """Return the places in which a store has folders."""
    return [found[1] for found in map(_NAME.fullmatch, os.listdir(store)) if found]


def read(store: int, place: str) -> Record | None:
    """Return which folder a store has in a place, None for none; a damaged record says nothing."""
    try:
        file = os.open(f"spill-{place}", READ, dir_fd=store)
    except FileNotFoundError:
        return None
    try:
        said = json.loads(os.read(file, 4096))
    except ValueError:
        return None
    finally:
        os.close(file)
    return Record(place, **said) if isinstance(said, dict) and said.keys() == _FIELDS else None


def make(store: publishing.Folder, place: str, folder: str) -> None:
    """Note a new folder, unless one is noted for the place: the first wins."""
    content = json.dumps({"folder": folder, "id": os.urandom(16).hex()}).encode()
    publishing.create_once(store, f"spill-{place}", content)
