"""What all tests of the contract need."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from dash_brain.stores.base import Frames, Store, needs_lock

Reopen: TypeAlias = Callable[[], Store]
PassTime: TypeAlias = Callable[[float], None]

SPACE = "brain/contract"

#: Keys that a store may be tempted to confuse with each other, or with something of its own.
KEYS = (
    *(
        "",
        " ",
        ".",
        "..",
        ".hidden",
        "a",
        "A",
        "ä",
        "Ä",
        "a/b",
        "a\\b",
        "a\0b",
        "a\nb",
        "%",
        "%41",
        "%%",
        "%%41",
    ),
    *(
        "key",
        "locks",
        "FORMAT",
        "con",
        "\ud800",
        "\udcff",
        "😀",
        "e\u0301",
        "é",
        "a" * 255,
        "a" * 256,
        "A" * 255,
    ),
    *("a" * 5000, "a" * 4999 + "b", "/" * 300, "😀" * 300),
)

#: Frames at the sizes where something changes: empty, unaligned, read or mapped, one system call or more.
FRAMES: tuple[Frames, ...] = (
    [b""],
    [b"x"],
    [b"stream", b"", b"y" * 63, b"z" * 64, b"", b"w" * 65],
    [bytearray(b"array"), memoryview(b"view"), memoryview(bytearray(8))],
    [b"s" * 300_000],
    [b"s", os.urandom(262_144)],
    [b"s", os.urandom(3_000_000), b"tail"],
    [b"many", *(b"%d" % number for number in range(3000))],
)


def plain(frames: Frames) -> list[bytes]:
    """Return copies of frames, to be compared."""
    return [bytes(frame) for frame in frames]


class Contract:
    """What every part of the contract is given."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """Return an empty store; every subclass says which."""
        raise NotImplementedError("override the fixture 'store'")

    @pytest.fixture
    def pass_time(self) -> PassTime:
        """Return what lets some seconds pass; a store with a clock of its own advances that."""
        return time.sleep

    @pytest.fixture
    def set_clock_back(self) -> PassTime:
        """Return what sets the store's clock back by some seconds; skips where it has none of its own."""
        pytest.skip("the clock of this store cannot be set")


class Taker:
    """A thread that takes a lock, as soon as it can, and leaves it at once."""

    def __init__(self, store: Store, key: str) -> None:
        self._store, self._key = store, key
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with needs_lock(self._store).lock(self._key):
            pass

    def is_done_in(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()


def in_threads(works: Sequence[Callable[[int], None]]) -> None:
    """Do all of these at once, each told its number, and raise what one of them raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work, number) for number, work in enumerate(works)]:
            done.result()
