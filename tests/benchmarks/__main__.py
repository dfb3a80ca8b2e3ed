"""Measure what docs/benchmarks.md says, and write it there: ``make bench``.

    python -m tests.benchmarks              # everything, about ten minutes
    python -m tests.benchmarks reading      # one part: reading, large, small, mixed, ...
    python -m tests.benchmarks --draft      # on a busy machine too; into build/benchmarks, no document

Every comparison is paired: both contenders take turns in one run, so that a busy machine slows down both.
dash_brain is compared with what one would use in its place, and with the limits of the machine: a copy in
memory, an open and a map.
Nothing is asserted; needs 10 GB of memory, of which 5 GB in /dev/shm.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module

from tests.benchmarks.charts import Chart
from tests.benchmarks.page import block, images, publish
from tests.benchmarks.results import RESULTS, kept, known, part, surroundings
from tests.benchmarks.timing import Line
from tests.benchmarks.workplace import workplace
from tests.programs import REPOSITORY

#: In the order in which the README shows what they found. Modules, each with ``rows(place)``.
PARTS = ("chains", "callbacks", "reading", "holding", "large", "many", "mixed", "small")
PARTS += ("far", "bucket", "loop", "plasma", "peers", "growth")
DRAFTS = REPOSITORY / "build/benchmarks"
#: Load above which others are working.
IDLE = 0.5


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument(
        "--draft", action="store_true", help="smaller, for a busy machine; changes no document"
    )
    asked = parser.parse_args()
    if unknown := {*asked.parts} - {*PARTS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    load = os.getloadavg()[0]
    if load > IDLE and not asked.draft:
        sys.exit(
            f"The load is {load:.1f}: others are working here. Wait until it is below {IDLE}, or look at"
            " figures that no document will show:  make bench DRAFT=1"
        )
    measure([name for name in PARTS if name in (asked.parts or PARTS)], asked.draft)


def measure(names: list[str], draft: bool) -> None:
    """Measure parts, print what they find, and keep it: in the documents, or, as a draft, beside them."""
    file = DRAFTS / "benchmarks.json" if draft else RESULTS
    results, about = known(file), surroundings()
    for name in names:
        start = time.perf_counter()
        found = part(about, lines(name, draft))
        results = {one: {**results, name: found}[one] for one in PARTS if one in {**results, name: found}}
        kept(results, file)
        print(f"{block(name, results)}\n\n{name}: {time.perf_counter() - start:.0f} s\n", flush=True)
    if not draft:
        publish(results)
        return
    for image, svg in images(results).items():
        (DRAFTS / image.name).write_text(svg)


def lines(name: str, draft: bool) -> Iterator[Line | Chart]:
    """Yield what a part finds."""
    with workplace(draft) as place:
        for found in import_module(f"tests.benchmarks.{name}").rows(place):
            yield found if isinstance(found, Line | Chart) else found.line


if __name__ == "__main__":
    main()
