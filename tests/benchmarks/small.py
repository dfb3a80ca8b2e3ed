"""Store a small dict and read it again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from tests.benchmarks.timing import Row, in_rounds
from tests.benchmarks.workplace import Workplace

#: Pickles to about 1 KB.
FILTERS = {f"filter {number}": "x" * 20 for number in range(27)}


def rows(place: Workplace) -> Iterator[Row]:
    names = map(str, count())

    def brain(name: str) -> object:
        place.write_brain(name, FILTERS)
        return place.read_brain(name)

    def plain(name: str) -> object:
        place.write_pickle(name, FILTERS)
        return place.read_pickle(name)

    yield Row(
        "store and read a dict of 1 KB / pickle in /dev/shm",
        in_rounds(lambda: brain(next(names)), lambda: plain(next(names)), 2000),
        "less than 30 us",
    )
    yield Row(
        "the same under one name, which pickle does not replace at once",
        in_rounds(lambda: brain("filters"), lambda: plain("filters"), 2000),
        "",
    )
