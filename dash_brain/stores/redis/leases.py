"""Locks in Redis: a lease that its holder renews. When the holder dies, or is stopped, the lease ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b

from dash_brain.common.forks import reset_in_children
from dash_brain.errors import StoreError
from dash_brain.stores.mapped.system.locks import LockTable, lock_number
from dash_brain.stores.redis.channels import LOOK, listening
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import packed

#: Seconds after which what a process was sending may be removed unless it has said that it still sends.
SENDING = 60.0


class Leases:
    """The locks that this process holds or waits for.

    Threads of this process meet at a lock of their own first, and only one of them asks Redis.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._threads = LockTable()
        self._start_anew()
        reset_in_children(self)

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the lock of a key while the block runs."""
        name = blake2b(packed(key), digest_size=20).hexdigest()
        with self._threads.hold(lock_number(key), float("inf")):
            held, holder = self._held, os.urandom(16).hex()
            self._acquire(name, holder)
            held[name] = holder
            self._renewing()
            try:
                yield
            finally:
                if held is self._held:  # else the block began in the parent of this process
                    del held[name]
                    self._release(name, holder)

    @contextmanager
    def sending(self, object_id: str) -> Iterator[None]:
        """Renew the lock under which the parts of an object are sent, while the block runs."""
        sent = self._sent
        sent.add(object_id)
        self._renewing()
        try:
            yield
        finally:
            sent.discard(object_id)

    def holder(self, key: str) -> tuple[str, str]:
        """Return the name of a key's lock, and by which token this process holds it; empty: it does not."""
        name = blake2b(packed(key), digest_size=20).hexdigest()
        return name, self._held.get(name, "")

    def reset_after_fork(self) -> None:
        """Forget what the parent holds and renews."""
        self._start_anew()

    def _start_anew(self) -> None:
        self._guard = threading.Lock()
        self._held: dict[str, str] = {}
        self._sent: set[str] = set()
        self._renewer: threading.Thread | None = None

    def _ask(self, name: str, holder: str) -> float | None:
        """Take the lock if it is free; else return the seconds after which its lease ends unless renewed."""
        left = self._link.run("lock", name, holder, int(self._link.address.lease * 1000))
        return None if left == -1 else max(left, 0) / 1000

    def _acquire(self, name: str, holder: str) -> None:
        if self._ask(name, holder) is None:
            return
        with listening(self._link, b"unlocked:" + name.encode()) as wait:
            while (left := self._ask(name, holder)) is not None:
                wait(min(left, LOOK))

    def _release(self, name: str, holder: str) -> None:
        with suppress(StoreError):  # what was done under the lease is done, and it ends by itself
            self._link.run("unlock", name, holder)

    def _renewing(self) -> None:
        """Start the thread that renews, unless it runs."""
        with self._guard:
            if self._renewer is None or not self._renewer.is_alive():
                self._renewer = threading.Thread(target=self._renew, name="dash_brain-leases", daemon=True)
                self._renewer.start()

    def _renew(self) -> None:
        """Renew all leases that this process holds, for as long as it lives."""
        while True:
            time.sleep(min(self._link.address.lease, SENDING) / 4)
            locks = [text for pair in dict(self._held).items() for text in pair]
            sent = [text for one in set(self._sent) for text in (one, one)]
            for seconds, pairs in ((self._link.address.lease, locks), (SENDING, sent)):
                # In an outage it is tried again. A lost lease is noticed when something is put under it.
                with suppress(StoreError):
                    if pairs:
                        self._link.run("renew", int(seconds * 1000), *pairs)
