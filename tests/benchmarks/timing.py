"""Time two contenders in turns, and show the outcome as one row of a table."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any, TypeAlias

Contender: TypeAlias = Callable[[], Any]
#: The seconds of each run: ours, theirs.
Times: TypeAlias = "tuple[list[float], list[float]]"
Pairing: TypeAlias = "Callable[[Contender, Contender, int], Times]"

HEADER = "| what | dash_brain | compared with | | ratio | runs |\n|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Row:
    """One line of the table: ``what`` was done, ``by`` what else, and how long both took."""

    what: str
    by: str
    times: Times

    def __str__(self) -> str:
        ours, theirs = map(median, self.times)
        cells = self.what, seconds(ours), self.by, seconds(theirs), compared(ours, theirs), len(self.times[0])
        return f"| {' | '.join(map(str, cells))} |"


@dataclass(frozen=True)
class Fact:
    """One line of the table that is not about how long two things took."""

    what: str
    ours: str
    by: str = ""
    theirs: str = ""
    ratio: str = ""

    def __str__(self) -> str:
        return f"| {self.what} | {self.ours} | {self.by} | {self.theirs} | {self.ratio} | |"


def compared(ours: float, theirs: float) -> str:
    """Return the ratio of two medians in words."""
    if ours > theirs:
        return f"{ours / theirs:.2f}x the time"
    ratio = theirs / ours
    return f"{ratio:.1f}x faster" if ratio < 10 else f"{ratio:.0f}x faster"


def seconds(value: float) -> str:
    """Return a duration in the unit that a reader would choose."""
    unit, factor = next(
        (unit, factor) for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)) if value * factor >= 1
    )
    return f"{value * factor:.3g} {unit}"


def once(contender: Contender) -> float:
    """Return the seconds that one run takes; giving back what it returned is not counted."""
    start = perf_counter()
    result = contender()
    stop = perf_counter()
    del result
    return stop - start


def paired(ours: Contender, theirs: Contender, runs: int) -> Times:
    """Run both in turns, ``runs`` times each, after one run of each that does not count."""
    once(ours), once(theirs)
    pairs = [(once(ours), once(theirs)) for _ in range(runs)]
    return [own for own, _ in pairs], [other for _, other in pairs]


def in_rounds(ours: Contender, theirs: Contender, runs: int) -> Times:
    """Run each ten times in a row, in turns: both find the caches as they left them."""
    times: Times = ([], [])
    for _ in range(runs // 10):
        for contender, seconds_of in zip((ours, theirs), times, strict=True):
            seconds_of += [once(contender) for _ in range(11)][1:]
    return times


def in_another_process(pairing: Pairing, ours: Contender, theirs: Contender, runs: int) -> Times:
    """Do it in a fresh process, which has inherited nothing from this one."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(pairing, ours, theirs, runs).result()
