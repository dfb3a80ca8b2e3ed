"""What the commands say, as plain data: ``--json`` prints it as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from dash_brain.cli.clearing import Removal
from dash_brain.cli.names import short_key, short_namespace
from dash_brain.cli.survey import Listed, Space
from dash_brain.metrics.stats import Stats
from dash_brain.stores.base import ObjectInfo
from dash_brain.stores.namespaces import OF_CLIENTS

#: Strings, numbers, lists and dicts.
Report: TypeAlias = "dict[str, Any]"

#: What people call the values of a domain.
KINDS = {
    "brain": "named values",
    "app": "values of apps",
    "session": "values of sessions",
    "session-names": "named values of sessions",
    "memo": "memoized results",
    "session-memo": "memoized results of sessions",
    "cache": "entries of caches",
    "background": "results of background callbacks",
    "recipes": "recipes of results",
    "session-recipes": "recipes of results of sessions",
    "near": "near copies",
    "outcomes": "outcomes of computations",
}

#: The namespaces that ``stats`` names.
_LARGEST = 5


def of_spaces(place: str, spaces: Iterable[Space]) -> Report:
    """Return what lies in each namespace."""
    return {"store": place, "namespaces": [_space(one) for one in spaces]}


def of_values(place: str, namespace: str, found: Iterable[Listed]) -> Report:
    """Return what lies in one namespace, by its keys."""
    ordered = sorted(found, key=lambda one: one.key)
    return {
        "store": place,
        "namespace": short_namespace(namespace),
        "values": [_value(namespace, *one) for one in ordered],
    }


def of_object(place: str, info: ObjectInfo) -> Report:
    """Return all that is known of one object without reading its value."""
    known = _value(info.namespace, info.key, info)
    return {
        "store": place,
        "namespace": short_namespace(info.namespace),
        **known,
        "description": info.meta.get("description"),
        "version": info.object_id[:12],
    }


def of_removals(place: str, removals: Sequence[Removal]) -> Report:
    """Return what is removed from which namespaces."""
    return {
        "store": place,
        "removed": sum(len(one.objects) for one in removals),
        "bytes": sum(one.nbytes for one in removals),
        "unverified": sum(one.unverified for one in removals),
        "age_unknown": sum(one.age_unknown for one in removals),
        "namespaces": [short_namespace(one.namespace) for one in removals if one.objects],
    }


def of_store(place: str, counted: Stats | None, spaces: Sequence[Space]) -> Report:
    """Return what a store holds in all, by kind, what was done with it, and who holds most.

    ``counted``: None for a store that was never made.
    """
    return {
        "store": place,
        "bytes": counted.used if counted else 0,
        "budget": counted.budget if counted else None,
        "on_disk": counted.spilled if counted else 0,
        "values": sum(one.values for one in spaces),
        "unverified": sum(one.unverified for one in spaces),
        "sessions": len(_sessions(spaces)),
        "kinds": _kinds(spaces),
        "work": _work(counted) if counted and counted.shared == "host" else None,
        "largest": [_space(one) for one in sorted(spaces, key=lambda one: -one.nbytes)[:_LARGEST]],
    }


def _work(counted: Stats) -> Report:
    """Return what was done with a store since it was made."""
    held = {"store", "used", "budget", "spilled", "sessions", "kinds"}
    numbers = {name: value for name, value in counted._asdict().items() if name not in held}
    return {**numbers, "kinds": {kind: done._asdict() for kind, done in counted.kinds.items()}}


def _kinds(spaces: Iterable[Space]) -> list[Report]:
    by_domain: dict[str, Report] = {}
    for one in spaces:
        kind = {"kind": KINDS.get(one.domain, one.domain), "namespaces": 0, "values": 0, "bytes": 0}
        known = by_domain.setdefault(one.domain, kind)
        known["namespaces"] += 1
        known["values"] += one.values
        known["bytes"] += one.nbytes
    return list(by_domain.values())


def _sessions(spaces: Iterable[Space]) -> set[str]:
    return {one.namespace.partition("/")[2] for one in spaces if one.domain in OF_CLIENTS}


def _space(one: Space) -> Report:
    return {
        "namespace": short_namespace(one.namespace),
        "values": one.values,
        "bytes": one.nbytes,
        "created": one.created or None,
        "used": one.used or None,
        "unverified": one.unverified,
    }


def _value(namespace: str, key: str, info: ObjectInfo | None) -> Report:
    meta: Mapping[str, str] = info.meta if info else {}
    return {
        "name": short_key(namespace, key),
        "verified": info is not None,
        "type": meta.get("type"),
        "function": meta.get("function") or meta.get("callback"),
        "server_store": meta.get("server_store"),
        "bytes": info.nbytes if info else None,
        "created": info.created if info else None,
        "used": info.used if info else None,
        "expires": info.expires if info else None,
    }
