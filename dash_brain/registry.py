"""Which component ids are ServerStores, app by app, known to all its workers.

``data`` is a property of other components too, and the worker that runs a callback may never have built
the page that asks. So an id is entered when a ServerStore is sent to a browser, and the entry lies in the
store. What stands in an app's static layout needs no entry.
"""

from __future__ import annotations

import weakref
from typing import Any

import dash
from dash.development.base_component import Component

from dash_brain.errors import ValueMissing
from dash_brain.internals import stringify_id
from dash_brain.lately import Lately
from dash_brain.patterns import fits
from dash_brain.stores.base import Store, needs_scan

#: Seconds that an entry outlives its last use.
ENTRY_TTL = 24 * 3600.0

#: Seconds after which a process looks again, or enters again, what it knows.
RECHECK = ENTRY_TTL / 24

#: Seconds after which a process looks again whether the store has an entry: it may have been made anew.
LOOK_AGAIN = 5.0


class Registry:
    """The ids of one app's ServerStores."""

    def __init__(self, store: Store, app_id: str, app: dash.Dash | None) -> None:
        self._store = store
        self._namespace = f"registry/{app_id}"
        self._layout = _LayoutIds(app)
        self._known = Lately(RECHECK)
        self._entered = Lately(LOOK_AGAIN)
        self._strange = Lately(LOOK_AGAIN)

    def add(self, component_id: str | dict[str, Any]) -> None:
        """Enter an id, for all workers."""
        name = stringify_id(component_id)
        if name not in self._entered and not self._shared(name):
            self._store.put(self._namespace, name, [b""], ttl=ENTRY_TTL)
            self._known.note(name)
        self._entered.note(name)

    def assume(self, names: list[str]) -> None:
        """Take it from another process that these are ServerStores."""
        for name in names:
            self._known.note(name)

    def __contains__(self, component_id: str | dict[str, Any]) -> bool:
        return self.includes(component_id)

    def includes(self, component_id: str | dict[str, Any], pattern: str | None = None) -> bool:
        """Say whether an id is a ServerStore's.

        With the pattern that a callback declares, an id that nobody was ever sent is one too when others
        that fit the pattern are: a client may name any id.
        """
        name = stringify_id(component_id)
        declared = self._layout.is_server_store(name)
        if declared is not None:
            return declared
        return name in self._known or self._shared(name) or (pattern is not None and self._covers(pattern))

    def _covers(self, pattern: str) -> bool:
        if pattern in self._known:
            return True
        if pattern in self._strange:
            return False
        entered = needs_scan(self._store).scan(self._namespace)
        if any(fits(name, pattern) for name in (*self._layout.server_stores(), *entered)):
            self._known.note(pattern)
            return True
        self._strange.note(pattern)
        return False

    def _shared(self, name: str) -> bool:
        try:
            self._store.touch(self._namespace, name, ENTRY_TTL)
        except ValueMissing:
            return False
        self._known.note(name)
        return True


class _LayoutIds:
    """What an app's layout says of its ids, as far as it is there without serving a page."""

    def __init__(self, app: dash.Dash | None) -> None:
        self._app = weakref.ref(app) if app is not None else lambda: None
        self._read: tuple[Any, dict[str, bool]] = (None, {})

    def is_server_store(self, name: str) -> bool | None:
        """Say whether the layout's component of this id is a ServerStore; None when it has none."""
        return self._ids().get(name)

    def server_stores(self) -> list[str]:
        """Return the ids of the layout's ServerStores."""
        return [name for name, is_one in self._ids().items() if is_one]

    def _ids(self) -> dict[str, bool]:
        app = self._app()
        layout = None if app is None else app.layout
        if app is not None and app.validation_layout is not None:
            layout = app.validation_layout
        read, ids = self._read
        if layout is not read:
            ids = _declared(layout)
            self._read = (layout, ids)
        return ids


def _declared(layout: Any) -> dict[str, bool]:
    """Return id -> "is a ServerStore" for every component of a layout that is no function."""
    roots = layout if isinstance(layout, (list, tuple)) else [layout]
    trees = [part for part in roots if isinstance(part, Component)]
    parts = [part for tree in trees for part in (tree, *tree._traverse()) if isinstance(part, Component)]
    ids: dict[str, bool] = {}
    for part in parts:
        if getattr(part, "id", None) is not None:
            # Two pages may use an id for different things; nothing of a ServerStore may get out by that.
            name = stringify_id(getattr(part, "id"))  # noqa: B009 - a Component has no declared id
            ids[name] = part._type == "ServerStore" or ids.get(name, False)
    return ids
