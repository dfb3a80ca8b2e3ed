"""Work with one name among 100,000 and among 10, and say what a name costs.

The stores have clocks of their own, so that a recall in either does the same: with one that stands still none
has to note that it is the first for a second, and with one that leaps every one has to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path

from dash_brain import Brain
from dash_brain.stores import FileStore
from tests.benchmarks.timing import Fact, Row, in_rounds, paired
from tests.benchmarks.workplace import Workplace

MANY, FEW = 100_000, 10


def rows(place: Workplace) -> Iterator[Row | Fact]:
    sizes = {place.folder / "many": MANY, place.folder / "few": FEW}
    before = memory()
    still = [Names(folder, size) for folder, size in sizes.items()]
    yield cost(before, memory(), MANY + FEW)

    for what, do in VERBS.items():
        times = in_rounds(*(partial(do, names) for names in still), runs=4000)
        yield Row(f"{what}, of 100,000 names", "of 10", times)

    leaping = [Names(folder, size, leap=2.0) for folder, size in sizes.items()]
    times = in_rounds(*(partial(Names.recall, names) for names in leaping), runs=4000)
    yield Row("recall after a second, of 100,000 names", "of 10", times)

    tenth = Names(place.folder / "tenth", MANY // 10)
    times = paired(still[0].brain.names, tenth.brain.names, 11)
    yield Row("names() of 100,000", "of 10,000", times)
    place.write_pickle("names", still[0].brain.names())
    times = paired(still[0].brain.names, partial(place.read_pickle, "names"), 11)
    yield Row("names() of 100,000", "unpickle the list of them", times)


class Names:
    """A Brain with so many names; each verb takes another one of them at each call."""

    def __init__(self, folder: Path, size: int, leap: float = 0.0) -> None:
        seconds = count(time.time(), leap)
        self.brain = Brain(store=FileStore(folder, clock=lambda: next(seconds)))
        # The step is a prime, so all names have their turn, and neighbours are far apart.
        self._turns = (f"name {turn % size:06}" for turn in count(0, 7919))
        self._new = (f"new {number}" for number in count())
        for _ in range(size - len(self.brain)):
            self.learn()

    def learn(self) -> None:
        self.brain[next(self._turns)] = 2024

    def learn_new(self) -> None:
        name = next(self._new)
        self.brain[name] = 2024
        del self.brain[name]

    def recall(self) -> object:
        return self.brain[next(self._turns)]

    def exists(self) -> bool:
        return self.brain.exists(next(self._turns))


VERBS = {
    "learn a new name and forget it": Names.learn_new,
    "learn over the old": Names.learn,
    "recall": Names.recall,
    "exists": Names.exists,
}


def memory() -> dict[str, int]:
    """Return bytes in use: of shared memory, of the kernel for what is in it, and of this process."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    own = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {"shared memory": kilobytes["Shmem"] << 10, "kernel": kilobytes["Slab"] << 10, "process": own}


def cost(before: Mapping[str, int], after: Mapping[str, int], names: int) -> Fact:
    """Say what each name took; what others do on the machine meanwhile is in it too."""
    each = {where: (after[where] - used) / names for where, used in before.items()}
    took = ", ".join(f"{where} {took:.0f}" for where, took in each.items())
    return Fact("bytes that a name with a number takes", took)
