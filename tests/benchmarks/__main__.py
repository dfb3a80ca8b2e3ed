"""Measure what the README promises, each figure beside its goal: ``make bench``.

    python -m tests.benchmarks              # everything, about five minutes
    python -m tests.benchmarks reading      # one part: reading, large, small, mixed, ...

Every comparison is paired: both contenders take turns in one run, so that a busy machine slows down both.
Nothing is asserted and nothing is kept; needs about 4 GB of memory, of which 2.5 GB in /dev/shm.
"""

from __future__ import annotations

import os
import platform
import sys

from tests.benchmarks import callbacks, far, large, many, mixed, plasma, reading, small
from tests.benchmarks.timing import HEADER
from tests.benchmarks.workplace import workplace

PARTS = {
    "reading": reading,
    "large": large,
    "small": small,
    "mixed": mixed,
    "callbacks": callbacks,
    "many": many,
    "far": far,
    "plasma": plasma,
}

if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores")
    print("Medians; the ratio is the median of the pairs' ratios, other / dash_brain.\n")
    print(HEADER)
    for name in sys.argv[1:] or PARTS:
        with workplace() as place:
            for row in PARTS[name].rows(place):
                print(row, flush=True)
