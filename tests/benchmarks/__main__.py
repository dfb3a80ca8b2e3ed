"""Measure what docs/benchmarks.md says, as a table in Markdown: ``make bench``.

    python -m tests.benchmarks              # everything, about ten minutes
    python -m tests.benchmarks reading      # one part: reading, large, small, mixed, ...

Every comparison is paired: both contenders take turns in one run, so that a busy machine slows down both.
dash_brain is compared with what one would use in its place, and with the limits of the machine: a copy in
memory, an open and a map.
Nothing is asserted and nothing is kept; needs about 4 GB of memory, of which 2.5 GB in /dev/shm.
"""

from __future__ import annotations

import os
import platform
import sys

from tests.benchmarks import (
    bucket,
    callbacks,
    chains,
    far,
    holding,
    large,
    loop,
    many,
    mixed,
    plasma,
    reading,
    small,
)
from tests.benchmarks.timing import HEADER
from tests.benchmarks.workplace import workplace

PARTS = {
    "reading": reading,
    "large": large,
    "small": small,
    "mixed": mixed,
    "callbacks": callbacks,
    "chains": chains,
    "holding": holding,
    "loop": loop,
    "many": many,
    "far": far,
    "bucket": bucket,
    "plasma": plasma,
}

if __name__ == "__main__":
    load = os.getloadavg()[0]
    print(
        f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores, load {load:.1f}"
    )
    print("Medians, and the ratio of both.\n")
    print(HEADER)
    for name in sys.argv[1:] or PARTS:
        with workplace() as place:
            for row in PARTS[name].rows(place):
                print(row, flush=True)
    print(f"\nLoad at the end: {os.getloadavg()[0]:.1f}")
