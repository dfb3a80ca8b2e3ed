"""The sessions of each app, and for how long each was idle."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from dash_brain.common.throttle import Throttle
from dash_brain.errors import StoreUnavailable, ValueMissing
from dash_brain.settings import Settings
from dash_brain.stores.base import Store, needs_scan
from dash_brain.stores.namespaces import OF_CLIENTS

#: Seconds between two notes of one session by one process, and between two checks of their number.
EVERY = 60.0
LOOK = 1.0


class SessionRegistry:
    """The sessions of one app. When there are too many, those that were idle longest are removed.

    Each session is an empty object, whose ttl is renewed when the session is used: its expiry tells how long
    it was idle.
    """

    def __init__(self, settings: Settings, app_id: str) -> None:
        self._store = settings.store
        self._ttl = settings.session_ttl
        self._most = settings.max_sessions
        self._namespace = f"session-registry/{app_id}"
        #: Sessions that this process noted lately, in requests whose answers bring their cookie again.
        self.noted = Throttle(min(EVERY, self._ttl / 10))
        #: And in messages and streams, whose answers bring none.
        self.noted_without_cookie = Throttle(min(EVERY, self._ttl / 10))
        self._looked = Throttle(LOOK)

    def note_use(self, session: str, anonymous: str) -> None:
        """Note that the session is used.

        ``anonymous`` is the session of the same browser without a user.
        """
        with suppress(StoreUnavailable):  # what the request needs of the store says so
            if session != anonymous:
                self._touch_or_put(_logins(anonymous), session)
            if self._touch_or_put(self._namespace, session):
                self._store.counters.note_session()
                self._make_room()

    def has(self, session: str) -> bool:
        """Say whether the session has not ended."""
        return self._store.exists(self._namespace, session)

    def close(self, anonymous: str) -> None:
        """End a session, for all users who are or were logged in."""
        for session in {anonymous, *needs_scan(self._store).scan(_logins(anonymous))}:
            self._store.delete(self._namespace, session)
            remove_session(self._store, session)
        self._store.drop(_logins(anonymous))

    def _touch_or_put(self, namespace: str, session: str) -> bool:
        """Note a session, and say whether it is new."""
        try:
            self._store.touch(namespace, session, self._ttl)
        except ValueMissing:
            self._store.put(namespace, session, [b""], ttl=self._ttl)
            return True
        return False

    def _make_room(self) -> None:
        if "room" in self._looked:
            return
        self._looked.note("room")
        sessions = list(needs_scan(self._store).scan(self._namespace))
        surplus = len(sessions) - self._most
        if surplus > 0:
            # A few more than needed, so that not every new session has to sort all others.
            for session in sorted(sessions, key=self._expires)[: surplus + self._most // 50]:
                self._store.delete(self._namespace, session)
                remove_session(self._store, session)

    def _expires(self, session: str) -> float:
        with suppress(ValueMissing):
            return self._store.info(self._namespace, session).expires or 0.0
        return 0.0


def _logins(anonymous: str) -> str:
    """Return the namespace with the sessions that a browser has had for users who logged in."""
    return f"logins/{anonymous}"


def remove_session(store: Store, session: str) -> None:
    """Remove all that belongs to a session."""
    for domain in OF_CLIENTS:
        store.drop(f"{domain}/{session}")


@lru_cache(maxsize=256)
def session_registry(settings: Settings, app_id: str) -> SessionRegistry:
    """Return the sessions of an app, as this process knows them."""
    return SessionRegistry(settings, app_id)
