"""Which values ``clear`` removes, and how they are removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dash_brain.cli.names import find_namespace
from dash_brain.cli.survey import VALUES, Listed, Progress, listed, namespaces
from dash_brain.stores.base import Store
from dash_brain.stores.namespaces import OF_CLIENTS


class Removal(NamedTuple):
    """What is to go from one namespace.

    Attributes
    ----------
    whole
        All that lies there.
    age_unknown
        Values that stay because their age is not known: no key that this process has signed them.
    """

    namespace: str
    objects: list[Listed]
    whole: bool
    age_unknown: int = 0

    @property
    def nbytes(self) -> int:
        """The bytes of it, as far as they are known."""
        return sum(one.info.nbytes for one in self.objects if one.info)

    @property
    def unverified(self) -> int:
        """How many of them are not signed with a key that this process has: their bytes are not known."""
        return sum(one.info is None for one in self.objects)


def chosen(store: Store, namespace: str | None, session: str | None) -> list[str] | None:
    """Return the namespaces that are meant, of all that hold values; None: there is no such."""
    there = namespaces(store, VALUES)
    if session is not None:
        there = _of_session(session, there)
        return there or None
    if namespace is not None:
        found = find_namespace(namespace, there)
        return None if found is None else [found]
    return there


def planned(store: Store, within: list[str], before: float | None, progress: Progress) -> Iterator[Removal]:
    """Yield what goes from these namespaces: all, or what was put before so many seconds since the epoch."""
    for namespace in progress(within):
        found = list(listed(store, namespace))
        if before is None:
            planned = Removal(namespace, found, whole=True)
        else:
            old = [one for one in found if one.info is not None and one.info.created < before]
            planned = Removal(namespace, old, whole=False, age_unknown=sum(not one.info for one in found))
        if planned.objects or planned.age_unknown:
            yield planned


def remove(store: Store, removals: Iterable[Removal]) -> None:
    """Remove what was planned; a value that was chosen by its age only if it was not replaced since."""
    for one in removals:
        if one.whole:
            store.drop(one.namespace)
            continue
        for key, info in one.objects:
            store.delete(one.namespace, key, object_id=info.object_id if info else None)


def _of_session(given: str, there: Iterable[str]) -> list[str]:
    """Return the namespaces of the session that a person means by what was shown of it."""
    name = given.rpartition("/")[2]
    meant = (find_namespace(f"{domain}/{name}", there) for domain in OF_CLIENTS)
    return [one for one in meant if one is not None]
