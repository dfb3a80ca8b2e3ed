"""Many who do something at once, and the real processes they do it to."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from typing import TypeVar

import psutil

T = TypeVar("T")


def together(works: Iterable[Callable[[], T]]) -> list[T]:
    """Do all of it at once, each in a thread; return what they return, or raise what one of them raised."""
    works = list(works)
    with ThreadPoolExecutor(len(works)) as pool:
        return [turn.result() for turn in [pool.submit(work) for work in works]]


@contextmanager
def meanwhile(works: Iterable[Callable[[Event], T]]) -> Iterator[list[T]]:
    """Do all of it in threads while the block runs; what they returned is in the list afterwards.

    Each is told by an event when it is time to stop.
    """
    works, enough, results = list(works), Event(), []
    with ThreadPoolExecutor(len(works)) as pool:
        turns = [pool.submit(work, enough) for work in works]
        try:
            yield results
        finally:
            enough.set()
        results.extend(turn.result() for turn in turns)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    return [child.pid for child in _children(pid)]


def _children(pid: int) -> list[psutil.Process]:
    children = []
    for child in psutil.Process(pid).children():
        with suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                children.append(child)
    return children


def kill_a_child_of(parent: int, chance: random.Random) -> bool:
    """Kill one process that ``parent`` has started, as the kernel does when memory is short.

    Return whether there was one. Only children that live are ever signalled: 0 and -1 name whole groups of
    processes to the kernel, so no number that was merely computed may get here.
    """
    children = _children(parent)
    if not children:
        return False
    try:
        chance.choice(children).kill()  # psutil makes sure that the number was not given to another process
    except psutil.NoSuchProcess:
        return False
    return True


def wait_for(condition: Callable[[], object], what: str | Callable[[], object], seconds: float = 30) -> None:
    """Wait until it is so; say what is not when it takes longer than anybody would wait."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.05)
