"""Store a small dict and read it again."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.timing import Row, paired
from tests.benchmarks.workplace import Workplace

#: Pickles to about 1 KB.
FILTERS = {f"filter {number}": "x" * 20 for number in range(27)}


def rows(place: Workplace) -> Iterator[Row]:
    def brain() -> object:
        place.write_brain("filters", FILTERS)
        return place.read_brain("filters")

    def plain() -> object:
        place.write_pickle("filters", FILTERS)
        return place.read_pickle("filters")

    yield Row(
        "store and read a dict of 1 KB / pickle in /dev/shm", paired(brain, plain, 2001), "less than 30 us"
    )
