"""What waits for the page of a background callback: what its job sets, and a result without a job.

Dash's managers keep only the last call of ``set_props`` between two polls of the page.
"""

from __future__ import annotations

import json
from typing import Any

from dash_brain.errors import ValueMissing
from dash_brain.settings import current
from dash_brain.stores.base import needs_lock
from dash_brain.stores.namespaces import VALUE
from dash_brain.web.dash_internals import to_json
from dash_brain.web.leases import LEASE
from dash_brain.web.sessions import Caller

Props = dict[str, Any]


class SideUpdates:
    """The properties that one job has set and no page has fetched, by component id.

    Raises
    ------
    NoSession
        When the caller has no session.
    """

    def __init__(self, caller: Caller, key: str) -> None:
        self._settings = current.use()
        self._store = self._settings.store
        self._place = (caller.namespace("session"), f"set_props-{key}")

    def add(self, component_id: str, props: Props) -> None:
        """Set properties of a component.

        Raises
        ------
        StoreFull
            When there is no room for them.
        """
        with self._lock():
            waiting = self._waiting()
            waiting[component_id] = {**waiting.get(component_id, {}), **props}
            frames = [to_json(waiting).encode()]
            kept = VALUE.within(self._settings.quota)
            self._store.put(*self._place, frames, ttl=LEASE, meta={"type": "set_props"}, retention=kept)

    def take(self) -> dict[str, Props]:
        """Return and delete them."""
        if not self._waiting():  # the common case, without a lock
            return {}
        with self._lock():
            waiting = self._waiting()
            self._store.delete(*self._place)
        return waiting

    def _lock(self) -> Any:
        return needs_lock(self._store).lock("/".join(self._place))

    def _waiting(self) -> dict[str, Props]:
        try:
            [waiting] = self._store.get(*self._place)
        except ValueMissing:
            return {}
        return dict(json.loads(bytes(waiting)))


class KeptResult:
    """The memoized result of a job that was not started, until its page fetches it.

    Raises
    ------
    NoSession
        When the caller has no session.
    """

    def __init__(self, caller: Caller, key: str) -> None:
        self._settings = current.use()
        self._place = (caller.namespace("session"), f"kept-{key}")

    def put(self, result: Any) -> None:
        """Keep the result, with tokens in it.

        Raises
        ------
        StoreFull
            When there is no room for it.
        """
        kept, frames = VALUE.within(self._settings.quota), [to_json(result).encode()]
        self._settings.store.put(*self._place, frames, ttl=LEASE, meta={"type": "result"}, retention=kept)

    def take(self, default: Any) -> Any:
        """Return and delete it; the default when it is gone."""
        try:
            [result] = self._settings.store.get(*self._place)
        except ValueMissing:
            return default
        self._settings.store.delete(*self._place)
        return json.loads(bytes(result))
