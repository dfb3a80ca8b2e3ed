"""Write, read and free large frames, beside the limit: one copy, or one pass, in memory that is warm."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from tests.benchmarks.timing import Contender, Row, Times, in_another_process, once, paired
from tests.benchmarks.values import numbers
from tests.benchmarks.workplace import Workplace

COPY = "copy in memory that is warm"


def rows(place: Workplace) -> Iterator[Row]:
    frame = numbers(32)
    write, copy = partial(place.write_brain, "over", frame), Copy(frame)
    new = after(place.brain.clear, write, copy, 51)
    yield Row("write 32 MB under a new name", COPY, new, readme=True)
    yield Row("write 32 MB over the old", COPY, paired(write, copy, 51), readme=True)
    yield Row(
        "free 32 MB, until the file system has it",
        "remove a plain file",
        after(write, partial(free, place, place.brain.clear), Plain(place, frame), 51),
    )
    for megabytes in (32, 320):
        place.write_brain("frame", numbers(megabytes))
        yield Row(
            f"read {megabytes} MB and add it up",
            "add up in the heap",
            in_another_process(paired, partial(added, place), AddedInHeap(place), 31),
            readme=megabytes == 32,
        )
        yield Row(
            f"read {megabytes} MB",
            "open and map",
            in_another_process(paired, partial(place.read_brain, "frame"), Mapped(place, megabytes), 51),
        )


def after(prepare: Callable[[], object], ours: Contender, theirs: Contender, runs: int) -> Times:
    """Run both in turns, ours after something that is not counted."""
    times: Times = ([], [])
    for _ in range(runs + 1):
        prepare()
        times[0].append(once(ours))
        times[1].append(getattr(theirs, "timed", partial(once, theirs))())
    return times[0][1:], times[1][1:]


class Copy:
    """Copies a frame into memory that is there."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._numbers = frame.to_numpy()
        self._copy = self._numbers.copy(order="K")

    def __call__(self) -> None:
        np.copyto(self._copy, self._numbers)


def free(place: Workplace, remove: Callable[[], object]) -> None:
    """Remove something, and wait until the file system says that 30 MB more are free."""
    before = os.statvfs(place.folder)
    remove()
    end = time.perf_counter() + 1  # others use the file system too
    while os.statvfs(place.folder).f_bfree < before.f_bfree + (30 << 20) // before.f_frsize:
        if time.perf_counter() > end:
            return


class Plain:
    """Frees a file of the same size in pages of 4 KB."""

    def __init__(self, place: Workplace, frame: pd.DataFrame) -> None:
        self._place, self._frame = place, frame

    def __call__(self) -> None:
        free(self._place, (self._place.folder / "plain").unlink)

    def timed(self) -> float:
        """Return the seconds of one run, without those of the file that it needs."""
        (self._place.folder / "plain").write_bytes(self._frame.to_numpy().tobytes())
        return once(self)


def added(place: Workplace) -> float:
    return float(place.read_brain("frame").to_numpy().sum())


class AddedInHeap:
    """Adds up a copy in the heap, made when it is first needed."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._copy: np.ndarray | None = None

    def __call__(self) -> float:
        if self._copy is None:
            self._copy = self._place.read_brain("frame").to_numpy().copy(order="K")
        return float(self._copy.sum())


class Mapped:
    """Opens and maps a file, and does not look into it."""

    def __init__(self, place: Workplace, megabytes: int) -> None:
        self._file = place.folder / "mapped"
        self._file.touch()
        os.truncate(self._file, megabytes * 10**6)

    def __call__(self) -> mmap.mmap:
        with self._file.open("rb", buffering=0) as file:
            return mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
