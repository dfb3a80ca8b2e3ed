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
from dash_brain.stores.base import Store

#: Seconds that an entry outlives its last use.
ENTRY_TTL = 24 * 3600.0

#: Seconds after which a process looks again, or enters again, what it knows.
RECHECK = ENTRY_TTL / 24


class Registry:
    """The ids of one app's ServerStores."""

    def __init__(self, store: Store, app_id: str, app: dash.Dash | None) -> None:
        self._store = store
        self._namespace = f"registry/{app_id}"
        self._layout = _LayoutIds(app)
        self._known = Lately(RECHECK)

    def add(self, component_id: str | dict[str, Any]) -> None:
        """Enter an id, for all workers."""
        name = stringify_id(component_id)
        if name not in self._known:
            self._store.put(self._namespace, name, [b""], ttl=ENTRY_TTL)
            self._known.note(name)

    def __contains__(self, component_id: str | dict[str, Any]) -> bool:
        name = stringify_id(component_id)
        declared = self._layout.is_server_store(name)
        return name in self._known or self._shared(name) if declared is None else declared

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
        self._layout: Any = None
        self._ids: dict[str, bool] = {}

    def is_server_store(self, name: str) -> bool | None:
        """Say whether the layout's component of this id is a ServerStore; None when it has none."""
        app = self._app()
        layout = None if app is None else app.validation_layout or app.layout
        if layout is not self._layout:
            self._layout, self._ids = layout, _declared(layout)
        return self._ids.get(name)


def _declared(layout: Any) -> dict[str, bool]:
    """Return id -> "is a ServerStore" for every component of a layout that is no function."""
    roots = layout if isinstance(layout, (list, tuple)) else [layout]
    trees = [part for part in roots if isinstance(part, Component)]
    parts = [part for tree in trees for part in (tree, *tree._traverse()) if isinstance(part, Component)]
    named = [(getattr(part, "id", None), part) for part in parts]
    return {stringify_id(name): part._type == "ServerStore" for name, part in named if name is not None}
