"""Write and read frames of a million rows: strings, dates and numbers, and strings that all differ."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from tests.benchmarks.timing import Row, in_another_process, paired
from tests.benchmarks.values import customers, orders
from tests.benchmarks.workplace import Workplace

FRAMES = {
    "a million rows with strings, dates and numbers": orders,
    "a million strings that all differ": customers,
}
PICKLE = "pickle in `/dev/shm`"


def rows(place: Workplace) -> Iterator[Row]:
    for what, make in FRAMES.items():
        frame = make()
        write = [partial(write, what, frame) for write in (place.write_brain, place.write_pickle)]
        read = [partial(read, what) for read in (place.read_brain, place.read_pickle)]
        yield Row(f"write {what}", PICKLE, paired(*write, 5), readme=make is orders)
        yield Row(f"read {what}", PICKLE, in_another_process(paired, *read, 7), readme=make is orders)
        pd.testing.assert_frame_equal(read[0](), frame)
