"""What the panel shows: the values of the caller's session, and the shared ones that its page holds.

No value is read, and looking at one is no use of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from dash_brain.errors import BadToken, DecodeError, StoreUnavailable, ValueMissing
from dash_brain.stores.base import ObjectInfo, Place, needs_budget, needs_scan
from dash_brain.stores.namespaces import OF_CLIENTS
from dash_brain.web import tokens
from dash_brain.web.leases.holders import JOB, Holders
from dash_brain.web.panel import files
from dash_brain.web.sessions import Caller
from dash_brain.web.sessions.start_log import shown_store

#: Strings, numbers, lists and dicts, for the browser.
Report: TypeAlias = "dict[str, Any]"

#: How many values that the page does not hold are shown, of each kind; the newest.
MOST_SHOWN = 200

#: Scopes of tokens whose values lie in the caller's session: he may remove them.
OWN = ("session", "session-memo")


def report(caller: Caller, page: str, held: Sequence[str]) -> Report:
    """Return what the panel of a page shows.

    Parameters
    ----------
    caller
        A caller with a session; the values of others are not looked at.
    page
        The page, as its claims name it.
    held
        Tokens that the page holds, or held last.
    """
    listed, holders = _listed(caller), _holders(caller, page)
    others, names = _others(caller, listed, set(held), holders), listed["session-names"]
    known = {(info.namespace, info.key): info for infos in listed.values() for info in infos}
    return {
        "held": [_of_token(caller, token, holders, known) for token in held],
        "others": others[:MOST_SHOWN],
        "names": [{"name": info.key, **_of_object(info)} for info in names[:MOST_SHOWN]],
        "more": sum(max(len(found) - MOST_SHOWN, 0) for found in (others, names)),
        "session": {"used": sum(_bytes(infos) for infos in listed.values()), "most": caller.settings.quota},
        "store": _of_store(caller),
    }


def _bytes(infos: list[ObjectInfo]) -> int:
    return sum(info.nbytes for info in infos)


def _listed(caller: Caller) -> dict[str, list[ObjectInfo]]:
    """Return domain -> all that lies there and counts against the quota of the session."""
    return {domain: sorted(_objects(caller, domain), key=_age) for domain in OF_CLIENTS}


def _age(info: ObjectInfo) -> tuple[float, str]:
    return -info.created, info.key


def _objects(caller: Caller, domain: str) -> Iterator[ObjectInfo]:
    store, namespace = caller.settings.store, f"{domain}/{caller.session}"
    found = store.info_many(namespace, needs_scan(store).scan(namespace))
    return (info for _, info in found if info is not None)  # else it was signed with an older key


def _holders(caller: Caller, page: str) -> dict[str, Report]:
    """Return object id -> how many other pages and jobs of the session hold the object."""
    found: dict[str, Report] = {}
    holders = Holders(caller)
    for holder in holders:
        kind = "jobs" if holder.startswith(JOB) else "tabs"
        for object_id in holders[holder].get("held", {}) if holder != page else ():
            known = found.setdefault(object_id, {"tabs": 0, "jobs": 0})
            known[kind] += 1
    return found


def _of_token(
    caller: Caller, token: str, holders: dict[str, Report], known: dict[Place, ObjectInfo]
) -> Report:
    """Return what is known of the value of a token; of one that is gone, why."""
    try:
        found = tokens.verify(caller.keys, caller.namespaces, token)
        info = known.get(found) or caller.settings.store.info(*found)
    except (BadToken, DecodeError):
        return {"gone": "unknown"}
    except ValueMissing as error:
        return {"gone": "quota" if error.of_quota else error.reason}
    scope = _scope(caller, found.namespace)
    return {**_of_object(info), "scope": scope, **holders.get(found.object_id, {})}


def _others(
    caller: Caller, listed: dict[str, list[ObjectInfo]], held: set[str], holders: dict[str, Report]
) -> list[Report]:
    """Return the values of the session that the page does not hold, with what names them."""
    found = [
        {
            **_of_object(info),
            "scope": scope,
            **holders.get(info.key, {}),
            **_named_by(caller, scope, info),
        }
        for scope in OWN
        for info in listed[scope]
    ]
    return [one for one in found if one.get("token") not in held]


def _named_by(caller: Caller, scope: str, info: ObjectInfo) -> Report:
    """Return the token of a value; the key of the result of a function, for which there is no token."""
    if "function" in info.meta:
        return {"result": info.key, "function": info.meta["function"]}
    return {"token": tokens.mint(caller.keys, scope, info.namespace, info.key)}


def _scope(caller: Caller, namespace: str) -> str:
    return next(scope for scope, own in caller.namespaces.items() if own == namespace)


def _of_object(info: ObjectInfo) -> Report:
    """Return what is known of an object; times are in seconds from now, or before now."""
    now, kind = time.time(), info.meta.get("type", "")
    sizes = {name: int(info.meta[name]) for name in ("rows", "columns") if name in info.meta}
    return {
        "type": kind,
        "store": info.meta.get("server_store"),
        **sizes,
        "bytes": info.nbytes,
        "age": max(now - info.created, 0.0),
        "left": None if info.expires is None else max(info.expires - now, 0.0),
        "file": files.suffix_for(kind, info.nbytes),
    }


def _of_store(caller: Caller) -> Report:
    """Return how full the store is, in which other sessions and apps may have values too."""
    store, most = caller.settings.store, None
    with suppress(StoreUnavailable):
        most = needs_budget(store).budget()
    return {"name": shown_store(store), "used": store.usage(), "most": most, "on_disk": store.spilled()}
