"""The store itself: whether it opens, takes a value and gives it back, and what fills it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from dash_brain.cli import survey
from dash_brain.cli.doctor.finding import Finding
from dash_brain.cli.names import printable, short_namespace
from dash_brain.cli.survey import Space
from dash_brain.cli.tables import evicted_for, filling
from dash_brain.cli.target import other_users
from dash_brain.common.sizes import shown_size
from dash_brain.metrics.stats import described
from dash_brain.stores import Bounded, Store, new_object_id
from dash_brain.stores.mapped.store import MappedStore

#: The share of the budget from which on a store counts as full.
_FULL = 0.9
#: Where a value is put on trial. It expires by itself should nobody remove it.
_TRIAL, _TRIAL_TTL = "cache/dash-brain-doctor", 60.0
_TRIAL_VALUE = b"all is well" * 100


def check(store: Store, *, with_room: bool) -> Iterator[Finding]:
    """Say whether the store works; a value is put on trial where that evicts nothing.

    ``with_room``: whether its place has room.
    """
    used = store.usage()
    budget = store.budget() if isinstance(store, Bounded) else None
    if not with_room:  # that was said; the budget of a full place is what the store holds already
        pass
    elif budget and used >= _FULL * budget:
        yield full(used, budget, survey.spaces(store, survey.VALUES), store.spilled())
    else:
        yield _trial(store, filling(used, budget))
    yield from damaged(store)
    yield from lost(store)


def _trial(store: Store, usage: str) -> Finding:
    key, began = new_object_id(), time.perf_counter()
    store.put(_TRIAL, key, [_TRIAL_VALUE], ttl=_TRIAL_TTL)
    same = b"".join(store.get(_TRIAL, key)) == _TRIAL_VALUE
    store.delete(_TRIAL, key)
    took = (time.perf_counter() - began) * 1000
    if not same:
        says = "A value that was put came back changed."
        return Finding("store", "error", says, "Replace the memory or the disk that it lies on.")
    says = f"{described(store)}: {usage}. A value was put, read and removed in {took:.1f} ms."
    return Finding("store", "ok", says)


def full(used: int, budget: int, spaces: Sequence[Space], spilled: int = 0) -> Finding:
    """Return the finding for a store that is full: who holds most, and what happens."""
    names = sum(one.nbytes for one in spaces if one.domain == "brain")
    largest = sorted(spaces, key=lambda one: -one.nbytes)[:3]
    holders = ", ".join(
        f"{printable(short_namespace(one.namespace))} {shown_size(one.nbytes)}" for one in largest
    )
    says = f"{shown_size(used)} of {shown_size(budget)} are used; most by {holders}."
    more = "Give the store a larger budget (Brain.resize(), or ?size= for a new store)"
    if names >= _FULL * budget:
        cure = f"{more}, or give names a ttl or remove some: names without a ttl are never evicted."
        return Finding("room", "error", f"{says} New values are refused.", cure)
    what = f"evicts others or goes to disk, where {shown_size(spilled)} lie" if spilled else "evicts others"
    return Finding("room", "warning", f"{says} Each new value {what}.", f"{more}, or keep less.")


def lost(store: Store) -> Iterator[Finding]:
    """Say how often a value was missed that had been evicted, and what was short: the quota or the store."""
    done = store.counted().done["value"]
    if done.missed_evicted:
        room, quota = done.evicted - done.evicted_for_quota, done.evicted_for_quota
        says = (
            f"Values were read {done.missed_evicted} times after they had been evicted. Since the store was "
            f"made, {shown_size(done.evicted_bytes)} were evicted: {evicted_for(room, quota)}."
        )
        yield Finding("evictions", "note", says, _MORE_QUOTA if quota > room else _MORE_ROOM)


_MORE_QUOTA = "Let a session keep more, configure(session_quota=...), or keep less for each page."
_MORE_ROOM = "Give the store a larger budget, Brain.resize() or ?size= for a new store, or keep less."


def damaged(store: Store) -> Iterator[Finding]:
    """Say which values cannot be read, as far as the first one of each namespace tells."""
    if store.shared == "network":  # there it is a matter of keys
        return
    bad = [short_namespace(one) for one in unverified(store, survey.VALUES)]
    if bad:
        says = f"A value in {', '.join(map(printable, bad))} is damaged or forged, and is not read."
        yield Finding("store", "error", says, "Remove it: `dash-brain clear --namespace NAMESPACE`.")


def unverified(store: Store, domains: Iterable[str]) -> Iterator[str]:
    """Yield the namespaces whose first value is not signed with a key of this process."""
    for namespace in survey.namespaces(store, domains):
        first = next(survey.listed(store, namespace), None)
        if first is not None and first.info is None:
            yield namespace


def users(store: Store) -> Iterator[Finding]:
    """Say who else has stores in the same place: a store belongs to its user."""
    others = other_users(store.folder) if isinstance(store, MappedStore) else []
    if others:
        users = ", ".join(map(str, others))
        yield Finding(
            "user",
            "note",
            f"This was checked for your user; user {users} has stores of its own in the same place.",
            "Run this as the user that the app runs as.",
        )
