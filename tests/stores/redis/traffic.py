"""Threads that put and get all the time, and tell what they met."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import suppress

from dash_brain.errors import StoreError, StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores.base import Store

SPACE = "brain/traffic"
#: In one piece, in one chunk, in several.
SIZES = (1_000, 300_000, 9_000_000)


def frames_of(key: str, number: int) -> list[bytes]:
    """Return frames that tell which key and which put they are of, in every byte."""
    return [f"{key} {number}".encode(), bytes([number % 256]) * SIZES[sum(key.encode()) % len(SIZES)]]


def check(key: str, frames: list[memoryview]) -> None:
    """Raise unless the frames are those of one put of this key."""
    name, number = bytes(frames[0]).decode().rsplit(" ", 1)
    assert name == key
    assert bytes(frames[1]) == frames_of(key, int(number))[1]


class Traffic:
    """What threads do with a store until the block ends; what is not to happen is raised then."""

    def __init__(self, store: Store, threads: int = 3) -> None:
        self._store = store
        self.met: Counter[str] = Counter()
        self._over = threading.Event()
        self._wrong: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        if self._wrong:
            raise self._wrong[0]

    def _run(self, seed: int) -> None:
        draw = random.Random(seed)
        while not self._over.is_set():
            key = f"key {draw.randrange(6)}"
            try:
                if draw.random() < 0.4:
                    ttl = draw.choice([None, 60])
                    self._store.put(SPACE, key, frames_of(key, draw.randrange(1 << 30)), ttl=ttl)
                else:
                    check(key, self._store.get(SPACE, key))
                self.met["done"] += 1
                time.sleep(0.01)  # enough is going on, and others need the processor too
            except (ValueMissing, StoreFull, StoreUnavailable) as error:
                self.met[type(error).__name__] += 1
                time.sleep(0.02)
            except BaseException as error:
                self._wrong.append(error)
                return


def recovers(store: Store, seconds: float = 60) -> None:
    """Raise unless the store soon does again what it should."""
    end, key = time.monotonic() + seconds, "recovered"
    while True:
        # Redis frees memory in a thread of its own. Until then its policy may evict what was just put.
        with suppress(StoreError, ValueMissing):
            store.put(SPACE, key, frames_of(key, 1))
            check(key, store.get(SPACE, key))
            return
        assert time.monotonic() < end, "the store did not recover"
        time.sleep(0.05)
