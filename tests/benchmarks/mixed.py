"""Write and read a frame with a million rows of strings, dates and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from tests.benchmarks.timing import Row, in_another_process, paired
from tests.benchmarks.values import orders
from tests.benchmarks.workplace import Workplace


def rows(place: Workplace) -> Iterator[Row]:
    frame = orders()
    write_brain, write_pickle = (
        partial(write, "orders", frame) for write in (place.write_brain, place.write_pickle)
    )
    read_brain, read_pickle = (partial(read, "orders") for read in (place.read_brain, place.read_pickle))

    yield Row("write 1,000,000 mixed rows / pickle", paired(write_brain, write_pickle, 11), "3x or more")
    yield Row(
        "read 1,000,000 mixed rows / pickle",
        in_another_process(paired, read_brain, read_pickle, 11),
        "3x or more",
    )
    pd.testing.assert_frame_equal(read_brain(), frame)
