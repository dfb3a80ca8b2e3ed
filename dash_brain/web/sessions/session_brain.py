"""``session_brain``: the named values of the caller's browser session."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from dash_brain.brain.mapping import NamedValues
from dash_brain.errors import ValueMissing
from dash_brain.memo.functions import ResultStorage
from dash_brain.settings import current
from dash_brain.shared_results import refuse
from dash_brain.stores.base import Store
from dash_brain.stores.namespaces import VALUE, Retention
from dash_brain.web.sessions import current_caller


class SessionBrain(NamedValues):
    """The named values of the caller's browser session, in any callback or layout function.

    A session sees its own names only. A value expires when it was not used for ``session_ttl``.

    Raises
    ------
    NoSession
        From every operation, when the caller has no browser session.

    Examples
    --------
    >>> from dash import Input, Output, callback
    >>> from dash_brain import session_brain
    >>> @callback(Output("cart", "children"), Input("add", "n_clicks"))
    ... def add(clicks):
    ...     session_brain["clicks"] = session_brain.get("clicks", 0) + 1
    ...     return session_brain["clicks"]
    """

    def _fingerprint_parts(self) -> tuple[str, str, bytes]:
        return type(self).__name__, "", b""  # its content depends on the caller of each use

    # Each of these depends on the caller, and is looked up at each use.
    @property
    def _store(self) -> Store:
        return current.use().store

    @property
    def _within(self) -> str:  # type: ignore[override]
        refuse("session_brain")
        return current_caller().names

    @property
    def _ttl(self) -> float:  # type: ignore[override]
        return current.use().session_ttl

    @property
    def _retention(self) -> Retention:  # type: ignore[override]
        return VALUE.within(current.use().quota)

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        with suppress(ValueMissing):  # deleted meanwhile
            self._store.touch(self._within, name, self._ttl)
        return value

    def _results(self) -> ResultStorage:
        refuse("session_brain.memoize")
        quota = current.use().quota
        return ResultStorage(
            self._store, current_caller().namespace("session-memo"), self._ttl, quota, is_shared=False
        )

    def _making(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def __repr__(self) -> str:
        return "session_brain"


session_brain = SessionBrain()
