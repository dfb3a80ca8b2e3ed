"""Which component ids are ServerStores, app by app, known to all its workers.

``data`` is a property of other components too, and the worker that runs a callback may never have built
the page that asks. So an id is entered when its component is sent to a browser, and the entry lies in the
store: those of ServerStores, and those of other components that have ``data``. What stands in an app's
static layout needs no entry. An id of which nothing is known is taken for a ServerStore's: else a client
that comes before the first page would get values in clear.
"""

from __future__ import annotations

import dash

from dash_brain.common.throttle import Throttle
from dash_brain.errors import ValueMissing
from dash_brain.stores.base import Store
from dash_brain.web.ids import canonical
from dash_brain.web.layouts import SERVER_STORE, layouts_of

#: Seconds that an entry outlives its last use.
ENTRY_TTL = 24 * 3600.0

#: Seconds after which a process looks again, or enters again, what it knows.
RECHECK = ENTRY_TTL / 24

#: Seconds after which a process looks again whether the store has an entry: it may have been made anew.
LOOK_AGAIN = 5.0

#: How the entries of ServerStores and of other components begin.
_STORE, _OTHER = "+", "-"


class Registry:
    """The ids of one app's ServerStores."""

    def __init__(self, store: Store, app_id: str, app: dash.Dash | None) -> None:
        self._store = store
        self._namespace = f"registry/{app_id}"
        self._layouts = layouts_of(app)
        self._known = Throttle(RECHECK)
        self._entered = Throttle(LOOK_AGAIN)

    def add(self, component_id: object) -> None:
        """Enter the id of a ServerStore, for all workers."""
        self._enter(_STORE + canonical(component_id))

    def add_other(self, component_id: object) -> None:
        """Enter the id of another component that has ``data``, for all workers."""
        name = canonical(component_id)
        if name not in self._layouts.declared():
            self._enter(_OTHER + name)

    def assume(self, stores: list[str], others: list[str]) -> None:
        """Take it from another process which ids are ServerStores and which are not."""
        for entry in (*map(_STORE.__add__, stores), *map(_OTHER.__add__, others)):
            self._known.note(entry)

    def __contains__(self, component_id: object) -> bool:
        """Say whether an id is known to be a ServerStore's."""
        name = canonical(component_id)
        declared = self._layouts.declared().get(name)
        return self._found(name) is True if declared is None else declared == SERVER_STORE

    def holds_tokens(self, component_id: object) -> bool:
        """Say whether an id is a ServerStore's as far as is known: what may be one has tokens only."""
        name = canonical(component_id)
        declared = self._layouts.declared().get(name)
        return self._found(name) is not False if declared is None else declared == SERVER_STORE

    def _found(self, name: str) -> bool | None:
        """Say whether an id is a ServerStore's that not every page has; None when nothing is known of it."""
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
