"""What the processes of a test do, in a module that they can import."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable

from dash_brain.errors import ValueMissing
from dash_brain.stores.base import Frames, Store
from dash_brain.stores.namespaces import VALUE

SPACE = "brain/torture"
SIZES = (0, 10, 4000, 200_000, 600_000)


def patterned(size: int) -> list[bytes]:
    """Return frames that tell whether they belong together: a digest, and what it is the digest of."""
    body = os.urandom(16) * (size // 16 + 1)
    return [hashlib.blake2b(body).digest(), body]


def check_pattern(frames: Frames) -> None:
    """Fail when the frames are of two objects, or of half a one."""
    digest, body = frames
    assert hashlib.blake2b(body).digest() == bytes(digest), "torn"


def live_through_removals(open_store: Callable[[], Store], seconds: float) -> int:
    """Put and get while somebody removes the folder; return the number of misses."""
    store, end, misses = open_store(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        store.put(SPACE, f"of {os.getpid()}", patterned(100))
        try:
            check_pattern(store.get(SPACE, f"of {os.getpid()}"))
        except ValueMissing:
            misses += 1
    return misses


def put_and_delete(open_store: Callable[[], Store], times: int) -> None:
    """Put, replace and delete under a few names that others use too."""
    store, chance = open_store(), random.Random()
    for _ in range(times):
        key = str(chance.randrange(8))
        if chance.random() < 0.7:
            store.put("brain/budget", key, [b"x", bytes(chance.randrange(50_000))])
        else:
            store.delete("brain/budget", key)


def fill_up(open_store: Callable[[], Store], times: int) -> int:
    """Put values that live for long, more than fit; return the highest use that was seen."""
    store, chance, highest = open_store(), random.Random(), 0
    for number in range(times):
        store.put("brain/filled", f"{os.getpid()} {number}", patterned(chance.randrange(400_000)), ttl=1e5)
        highest = max(highest, store.usage())
    return highest


def hold_until_told(open_store: Callable[[], Store], held: threading.Event, done: threading.Event) -> None:
    """Map every value of a namespace, and look at the end whether they are what they were."""
    store = open_store()
    values = [store.get("brain/a", key) for key in store.scan("brain/a")]
    held.set()
    done.wait(60)
    for value in values:
        check_pattern(value)


def put_for_a_session(open_store: Callable[[], Store], times: int, quota: int) -> None:
    """Put, replace and delete what belongs to one of two sessions."""
    store, chance = open_store(), random.Random()
    for _ in range(times):
        namespace = f"{chance.choice(['session', 'session-names'])}/{chance.choice('ab')}"
        key = str(chance.randrange(8))
        if chance.random() < 0.8:
            store.put(
                namespace, key, [bytes(chance.randrange(300_000))], ttl=1e5, retention=VALUE.within(quota)
            )
        else:
            store.delete(namespace, key)
