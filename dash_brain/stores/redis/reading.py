"""A read of what lies at a place: two commands of Redis, which are sent at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from dash_brain.errors import ValueMissing
from dash_brain.stores.base import Place
from dash_brain.stores.faults import Tombstone, missing
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import index_of, packed, value_of
from dash_brain.stores.redis.wire import packed as question

#: What is read at a place: the record, the manifest, the body.
Found: TypeAlias = "tuple[bytes, bytes, bytes]"


def read(link: Link, places: Sequence[Place]) -> list[Found | None]:
    """Return what lies at each place, None where there is nothing."""
    commands: list[Sequence[bytes]] = []
    for namespace, key in places:
        commands.append((b"HGET", index_of(namespace), packed(key)))
        commands.append((b"HMGET", value_of(namespace, key), b"m", b"b"))
    found = link.ask(question(commands), lambda answer: answer.strings(3 * len(places)))
    each = zip(found[::3], found[1::3], found[2::3], strict=True)
    return [(r, m, b) if r is not None and m is not None and b is not None else None for r, m, b in each]


def gone(key: str, fate: Sequence[bytes]) -> ValueMissing:
    """Return the error for a key without a value; ``fate``: how that went, as ``store.lua`` says."""
    if not fate:
        return missing(key)
    reason, nbytes, *times = fate
    created, removed, now = (int(one) / 1000 for one in times)
    return missing(key, Tombstone(reason.decode(), int(nbytes), created, removed), now=now)
