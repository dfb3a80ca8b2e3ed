"""Read a frame of numbers that another process has stored."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.timing import Row, in_another_process, in_rounds, paired
from tests.benchmarks.values import numbers
from tests.benchmarks.workplace import Workplace

PICKLE = "pickle in `/dev/shm`"


def rows(place: Workplace) -> Iterator[Row]:
    for megabytes in (32, 800):
        frame = numbers(megabytes)
        place.write_brain(f"{megabytes} MB", frame)
        if megabytes == 32:
            place.write_pickle(f"{megabytes} MB", frame)
    brain_32, brain_800 = (partial(place.read_brain, name) for name in ("32 MB", "800 MB"))
    pickle_32 = partial(place.read_pickle, "32 MB")

    times = in_another_process(in_rounds, brain_32, pickle_32, 100)
    yield Row("read a 32 MB frame of numbers in another process", PICKLE, times, readme=True)
    yield Row(
        "the same in turns, with caches that the other has emptied",
        PICKLE,
        in_another_process(paired, brain_32, pickle_32, 101),
    )
    times = in_another_process(paired, brain_800, brain_32, 101)
    yield Row("read an 800 MB frame", "dash_brain: 32 MB", times, readme=True)
