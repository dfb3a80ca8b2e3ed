"""A check that all workers of an app use the same keys: else each refuses cookies and tokens of the others.

Each worker notes the kids of its keys in the store while it serves requests, and compares them with the notes
of the others. A note outlives its worker by a minute at most.
"""

from __future__ import annotations

import atexit
import os
import secrets
from contextlib import suppress
from functools import lru_cache

from dash_brain.common.log import warn
from dash_brain.common.throttle import Throttle
from dash_brain.errors import StoreError, ValueMissing
from dash_brain.settings import Settings
from dash_brain.stores.base import Scans
from dash_brain.web.sessions.start_log import say_start

#: Seconds that a note lives, and between two notes of one worker.
LIVE = 60.0
EVERY = 20.0


class WorkerKeys:
    """The keys of the workers of one app, compared by this one."""

    def __init__(self, settings: Settings, app_id: str) -> None:
        self._settings = settings
        self._app_id = app_id
        self._namespace = f"workers/{app_id}"
        #: Process ids that compared keys lately; a fork has another one.
        self.checked = Throttle(EVERY)
        self._name, self._pid = "", 0

    def check(self) -> None:
        """Log how this worker is set up, and compare its keys with those of others, unless it did lately."""
        if os.getpid() in self.checked:
            return
        self.checked.note(os.getpid())
        say_start(self._settings, self._app_id)
        with suppress(StoreError):  # the request goes on
            self._note()
            self._compare()

    def _note(self) -> None:
        if self._pid != os.getpid():  # a forked worker is another one
            self._name, self._pid = secrets.token_hex(8), os.getpid()
            atexit.register(self._remove_note, self._name, self._pid)
        meta = {"kids": ",".join(self._kids())}
        self._settings.store.put(self._namespace, self._name, [b""], ttl=LIVE, meta=meta)

    def _compare(self) -> None:
        store, ours = self._settings.store, self._kids()
        if not isinstance(store, Scans):
            return
        for name in store.scan(self._namespace):
            with suppress(ValueMissing):  # it has just ended
                theirs = store.info(self._namespace, name).meta["kids"].split(",")
                if not set(ours) & set(theirs):
                    self._warn(ours[0], theirs[0])

    def _warn(self, ours: str, theirs: str) -> None:
        warn(
            "workers_disagree",
            "keys",
            f"Another worker of this app signs with key {theirs}, which this one does not know; this one "
            f"signs with key {ours}. Each refuses what the other made: give all of them the same "
            "DASH_BRAIN_KEY. While a new key is being rolled out, list the old one after it.",
            app_id=self._app_id,
            kid=ours,
            other_kid=theirs,
        )

    def _kids(self) -> list[str]:
        return [key.kid for key in self._settings.keys]

    def _remove_note(self, name: str, pid: int) -> None:
        if pid == os.getpid():  # and not a child that was forked off since
            # The process ends: there is nobody to report an error to, also not a second signal.
            with suppress(BaseException):
                self._settings.store.delete(self._namespace, name)


@lru_cache(maxsize=256)
def worker_keys(settings: Settings, app_id: str) -> WorkerKeys:
    """Return the keys of the workers of an app."""
    return WorkerKeys(settings, app_id)
