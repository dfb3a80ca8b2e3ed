"""Store a small dict and read it again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count

from tests.benchmarks.timing import Row, in_rounds
from tests.benchmarks.workplace import Workplace

#: Pickles to about 1 KB.
FILTERS = {f"filter {number}": "x" * 20 for number in range(27)}
RUNS = 4000


def rows(place: Workplace) -> Iterator[Row]:
    names = map(str, count())
    over = (partial(write, "filters", FILTERS) for write in (place.write_brain, place.replace_pickle))
    yield Row("put 1 KB over the old", "pickle to a file and rename it", in_rounds(*over, runs=RUNS))
    read = (partial(read, "filters") for read in (place.read_brain, place.read_pickle))
    yield Row("get 1 KB", "read the file and unpickle it", in_rounds(*read, runs=RUNS), readme=True)
    yield Row(
        "put 1 KB under a new name",
        "pickle to a new file and rename it",
        in_rounds(
            lambda: place.write_brain(next(names), FILTERS),
            lambda: place.replace_pickle(next(names), FILTERS),
            RUNS,
        ),
    )
