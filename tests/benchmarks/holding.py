"""What processes take that hold the same value: memory, of each page their share (Pss), and descriptors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.benchmarks.timing import Fact
from tests.benchmarks.values import numbers
from tests.benchmarks.workplace import Workplace

PROCESSES = 8
MEGABYTES = 800
VALUES = 100


def rows(place: Workplace) -> Iterator[Fact]:
    place.write_brain("frame", numbers(MEGABYTES))
    context = get_context("spawn")
    together, told = context.Barrier(PROCESSES), context.Queue()
    holders = [context.Process(target=hold, args=(place, together, told)) for _ in range(PROCESSES)]
    for holder in holders:
        holder.start()
    took, descriptors = (sum(each) for each in zip(*(told.get() for _ in holders), strict=True))
    for holder in holders:
        holder.join()
    value = f"{MEGABYTES} MB"
    shared = f"{took / 1e6:.0f} MB"
    ratio = f"{took / 1e6 / MEGABYTES:.2f}x"
    yield Fact(
        f"{PROCESSES} processes hold {value}: memory of all", shared, "the value", value, ratio, readme=True
    )
    yield Fact("file descriptors that a held value takes", f"{descriptors / PROCESSES / VALUES:.2f}")


def hold(place: Workplace, together: Any, told: Any) -> None:
    """Read the value while all others do, and tell what this process took more then."""
    assert len(place.read_brain("frame").columns) == 4
    together.wait()
    before = memory(), descriptors()
    together.wait()
    held = [place.read_brain("frame") for _ in range(VALUES)]
    held[0].to_numpy().sum()
    together.wait()
    told.put((memory() - before[0], descriptors() - before[1]))
    together.wait()


def memory() -> int:
    """Return the bytes of this process, of each page that it shares its share."""
    found = re.search(r"^Pss: +(\d+) kB", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
