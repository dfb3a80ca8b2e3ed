"""Time two contenders in turns, and show the outcome as one row of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any, TypeAlias

Contender: TypeAlias = Callable[[], Any]
#: The seconds of each run: ours, theirs.
Times: TypeAlias = "tuple[list[float], list[float]]"
Pairing: TypeAlias = "Callable[[Contender, Contender, int], Times]"

COLUMNS = ("what", "dash_brain", "in its place, or the limit", "", "ratio")


@dataclass(frozen=True)
class Line:
    """One line of a table: what it shows, the medians behind that, and whether the README shows it too.

    ``versions``: what it ran with, where that is not what the other lines ran with.
    """

    cells: Sequence[str]
    columns: Sequence[str] = COLUMNS
    seconds: Sequence[float] = field(default=())
    readme: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """``what`` was done, ``by`` what else, and how long both took."""

    what: str
    by: str
    times: Times
    readme: bool = False

    @property
    def line(self) -> Line:
        ours, theirs = map(median, self.times)
        cells = self.what, shown(ours), self.by, shown(theirs), compared(ours, theirs)
        return Line(cells, seconds=(ours, theirs), readme=self.readme)


@dataclass(frozen=True)
class Fact:
    """What is not about how long two things took."""

    what: str
    ours: str
    by: str = ""
    theirs: str = ""
    ratio: str = ""
    readme: bool = False

    @property
    def line(self) -> Line:
        return Line((self.what, self.ours, self.by, self.theirs, self.ratio), readme=self.readme)


def compared(ours: float, theirs: float) -> str:
    """Return the ratio of two medians in words."""
    if ours > theirs:
        return f"{ours / theirs:.2f}x the time"
    ratio = theirs / ours
    return f"{ratio:.1f}x faster" if ratio < 10 else f"{ratio:.0f}x faster"


def shown(seconds: float) -> str:
    """Return a duration in the unit that a reader would choose; a difference may be negative."""
    units = (("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9))
    unit, factor = next((one for one in units if abs(seconds) * one[1] >= 1), units[-1])
    return f"{seconds * factor:.3g} {unit}"


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
