"""What lies in a store, by the verbs that all stores have; no value is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from dash_brain.cli import names
from dash_brain.cli.target import is_there
from dash_brain.stores.base import ObjectInfo, Store, needs_scan
from dash_brain.stores.namespaces import DOMAINS

#: Where values lie. Notes are left out: they are small, bounded, and kept for safety.
VALUES = tuple(name for name, domain in DOMAINS.items() if domain.retention.kind != "note")
NOTES = tuple(name for name, domain in DOMAINS.items() if domain.retention.kind == "note")

#: Passes namespaces on, and shows how far it is.
Progress: TypeAlias = "Callable[[Sequence[str]], Iterable[str]]"


class Listed(NamedTuple):
    """One object, and what the store knows of it; None: it is not signed with a key that this process has."""

    key: str
    info: ObjectInfo | None


class Space(NamedTuple):
    """All that lies in a namespace.

    Attributes
    ----------
    nbytes
        Bytes of all its values.
    created, used
        Seconds since the epoch: when the newest was put, and about when one was last read.
    unverified
        Values that are not signed with a key that this process has; their bytes are not counted.
    """

    namespace: str
    values: int
    nbytes: int
    created: float
    used: float
    unverified: int

    @property
    def domain(self) -> str:
        """What kind of values lie there."""
        return self.namespace.partition("/")[0]


def namespaces(store: Store, domains: Iterable[str]) -> list[str]:
    """Return the namespaces of these domains that hold something, sorted."""
    if not is_there(store):
        return []
    return [one for domain in domains for one in sorted(needs_scan(store).namespaces(domain))]


def listed(store: Store, namespace: str) -> Iterator[Listed]:
    """Yield what lies in a namespace, but for what goes meanwhile."""
    for key, info in store.info_many(namespace, needs_scan(store).scan(namespace)):
        yield Listed(key, info)


def find_key(store: Store, namespace: str, given: str) -> str | None:
    """Return the key that is meant by what was shown of it; None: there is none."""
    if namespace.partition("/")[0] in names.NAMED:
        return given
    return names.find_key(given, namespace, needs_scan(store).scan(namespace))


def space(store: Store, namespace: str) -> Space:
    """Return what lies in a namespace, added up."""
    found = list(listed(store, namespace))
    infos = [one.info for one in found if one.info is not None]
    return Space(
        namespace,
        len(found),
        sum(info.nbytes for info in infos),
        max((info.created for info in infos), default=0.0),
        max((info.used for info in infos), default=0.0),
        len(found) - len(infos),
    )


def spaces(store: Store, domains: Iterable[str], progress: Progress = iter) -> list[Space]:
    """Return what lies in each namespace of these domains; one that is empty by now is left out."""
    found = (space(store, namespace) for namespace in progress(namespaces(store, domains)))
    return [one for one in found if one.values]
