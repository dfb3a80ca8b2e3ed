"""Read a frame of numbers that another process has stored."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.timing import Row, paired_in_another_process
from tests.benchmarks.values import numbers
from tests.benchmarks.workplace import Workplace


def rows(place: Workplace) -> Iterator[Row]:
    for megabytes in (32, 800):
        frame = numbers(megabytes)
        place.write_brain(f"{megabytes} MB", frame)
        place.write_pickle(f"{megabytes} MB", frame)
    brain_32, brain_800 = (partial(place.read_brain, name) for name in ("32 MB", "800 MB"))
    pickle_32 = partial(place.read_pickle, "32 MB")
    compare = paired_in_another_process

    yield Row("read 32 MB of numbers / pickle in /dev/shm", compare(brain_32, pickle_32, 101), "80x or more")
    yield Row(
        "the same, and add them all up",
        compare(partial(total, brain_32), partial(total, pickle_32), 101),
        "",
    )
    yield Row("read 32 MB of numbers / read 800 MB", compare(brain_32, brain_800, 101), "less than 2x")


def total(read: partial[object]) -> float:
    return float(read().to_numpy().sum())  # type: ignore[attr-defined]
