"""Which component ids are ServerStores, for all workers of an app.

Other components have a property ``data`` too, and the worker that runs a callback may never have served the
page. So each id is registered in the store when its component is sent to a browser: those of ServerStores,
and those of other components with ``data``. Ids in an app's static layout need no entry. An unknown id counts
as a ServerStore's: otherwise a client that comes before the first page would get plain values.
"""

from __future__ import annotations

from functools import lru_cache

import dash

from dash_brain.common.throttle import Throttle
from dash_brain.errors import ValueMissing
from dash_brain.hooks import apps
from dash_brain.settings import Settings, current
from dash_brain.stores.base import Store
from dash_brain.web.apps import requested_app
from dash_brain.web.component_ids import canonical
from dash_brain.web.layouts import SERVER_STORE, layouts_of
from dash_brain.web.sessions import Caller
from dash_brain.web.sessions.job_context import current_job
from dash_brain.web.sessions.session_ids import app_identity

#: Seconds that an entry outlives its last use.
ENTRY_TTL = 24 * 3600.0

#: Seconds after which a process renews the entries that it knows.
RECHECK = ENTRY_TTL / 24

#: Seconds after which a process checks that an entry is still there: the store may have been removed.
LOOK_AGAIN = 5.0

#: Prefixes of the entries of ServerStores and of other components.
_STORE, _OTHER = "+", "-"


class ComponentRegistry:
    """The ids of one app's ServerStores."""

    def __init__(self, store: Store, app_id: str, app: dash.Dash | None) -> None:
        self._store = store
        self._namespace = f"registry/{app_id}"
        self._layouts = layouts_of(app)
        self._known = Throttle(RECHECK)
        self._entered = Throttle(LOOK_AGAIN)

    def add(self, component_id: object) -> None:
        """Register the id of a ServerStore."""
        self._enter(_STORE + canonical(component_id))

    def add_other(self, component_id: object) -> None:
        """Register the id of another component that has ``data``."""
        name = canonical(component_id)
        if name not in self._layouts.declared():
            self._enter(_OTHER + name)

    def assume(self, stores: list[str], others: list[str]) -> None:
        """Add what another process found out, without asking the store: ids of ServerStores, and others."""
        for entry in (*map(_STORE.__add__, stores), *map(_OTHER.__add__, others)):
            self._known.note(entry)

    def __contains__(self, component_id: object) -> bool:
        """Say whether an id is known to be a ServerStore's."""
        name = canonical(component_id)
        declared = self._layouts.declared().get(name)
        return self._found(name) is True if declared is None else declared == SERVER_STORE

    def holds_tokens(self, component_id: object) -> bool:
        """Say whether an id is a ServerStore's, or unknown: then it may be one, and gets tokens only."""
        name = canonical(component_id)
        declared = self._layouts.declared().get(name)
        return self._found(name) is not False if declared is None else declared == SERVER_STORE

    def _found(self, name: str) -> bool | None:
        """Say whether an id that is in no static layout is a ServerStore's; None: it is unknown."""
        if self._has(_STORE + name):
            return True
        made = self._layouts.made(name)
        if made is not None:
            return made == SERVER_STORE
        return False if self._has(_OTHER + name) else None

    def _enter(self, entry: str) -> None:
        if entry not in self._entered and not self._shared(entry):
            self._store.put(self._namespace, entry, [b""], ttl=ENTRY_TTL)
            self._known.note(entry)
        self._entered.note(entry)

    def _has(self, entry: str) -> bool:
        return entry in self._known or self._shared(entry)

    def _shared(self, entry: str) -> bool:
        try:
            self._store.touch(self._namespace, entry, ENTRY_TTL)
        except ValueMissing:
            return False
        self._known.note(entry)
        return True


def registry_of(caller: Caller) -> ComponentRegistry:
    """Return the registry of the caller's app."""
    return _registry(caller.settings, caller.app_id)


def current_registry() -> ComponentRegistry:
    """Return the registry of the app of the current request or job, without asking for its session."""
    job, settings = current_job(), current.use()
    app_id = app_identity(settings, requested_app()) if job is None else job.app_id
    return _registry(settings, app_id)


@lru_cache(maxsize=256)
def _registry(settings: Settings, app_id: str) -> ComponentRegistry:
    candidates = (app for app in (requested_app(), *apps()) if app is not None)
    app = next((app for app in candidates if app_identity(settings, app) == app_id), None)
    return ComponentRegistry(settings.store, app_id, app)
