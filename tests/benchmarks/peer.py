"""One contender in a process of its own, which works when it is told to and says how long it took.

    python tests/benchmarks/peer.py brain_plasma SOCKET     # in brain-plasma's Python
    python tests/benchmarks/peer.py dash_brain FOLDER       # in the project's

A command is a line of JSON, ``[what to do, with which value, how often]``; the answer is a line of JSON, the
seconds of each run. Both contenders run this very file, so nothing of ``tests`` is imported here, and nothing
that one of the two Pythons lacks.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

#: The value of each name, which is also its name; or for how many strings a name stands.
ROWS = {"1M x 4 numbers": 1_000_000, "10M x 4 numbers": 10_000_000}
STRINGS = {"10 strings": 10, "100 strings": 100}


class Contender:
    """A Brain, opened when it is first needed, and what is done with it."""

    def __init__(self, package: str, path: str) -> None:
        start = perf_counter()
        self._open = import_module(package).Brain
        self.importing = perf_counter() - start
        self._path = path
        self._brain: Any = None
        self._frames: dict[str, pd.DataFrame] = {}

    @property
    def brain(self) -> Any:
        if self._brain is None:
            self._brain = self._open(path=self._path)
        return self._brain

    def imported(self, _what: str, _runs: int) -> list[float]:
        """Say how long importing the package took."""
        return [self.importing]

    def learn(self, what: str, runs: int) -> list[float]:
        """Learn the value, over the old one if there is one."""
        values = self._values(what)
        return [timed(lambda: self._learn(values)) for _ in range(runs)]

    def learn_new(self, what: str, runs: int) -> list[float]:
        """Learn the value under names that are free."""
        values = self._values(what)
        return [timed(lambda: self._learn(values), before=lambda: self._forget(values)) for _ in range(runs)]

    def recall(self, what: str, runs: int) -> list[float]:
        """Recall the value."""
        names = list(self._values(what)) if what in STRINGS else [what]
        return [timed(lambda: self._recall(names)) for _ in range(runs)]

    def add_up(self, what: str, runs: int) -> list[float]:
        """Recall a frame and read every number of it."""
        return [timed(lambda: float(self.brain[what].to_numpy().sum())) for _ in range(runs)]

    def forget(self, what: str, _runs: int) -> list[float]:
        """Forget the value."""
        self._forget(self._values(what))
        return []

    def check(self, what: str, _runs: int) -> list[float]:
        """Fail unless what is recalled is what was learned."""
        for name, value in self._values(what).items():
            found = self.brain[name]
            assert found.equals(value) if isinstance(value, pd.DataFrame) else found == value
        return []

    def _learn(self, values: dict[str, Any]) -> None:
        brain = self.brain
        for name, value in values.items():
            brain[name] = value

    def _recall(self, names: list[str]) -> list[Any]:
        brain = self.brain
        return [brain[name] for name in names]

    def _forget(self, values: dict[str, Any]) -> None:
        for name in values:
            self.brain.forget(name)

    def _values(self, what: str) -> dict[str, Any]:
        """Return the values to be learned, by name: ids, as the benchmark of brain-plasma has them."""
        if what in STRINGS:
            return {name: name for name in (f"{number:032x}" for number in range(STRINGS[what]))}
        if what not in self._frames:
            numbers = np.random.default_rng(0).random((ROWS[what], 4))
            self._frames[what] = pd.DataFrame(numbers, columns=list("abcd"))
        return {what: self._frames[what]}


def timed(work: Callable[[], Any], before: Callable[[], Any] = lambda: None) -> float:
    """Return the seconds that the work takes; what comes before it and after it does not count."""
    before()
    start = perf_counter()
    result = work()
    stop = perf_counter()
    del result
    return stop - start


def main(package: str, path: str) -> None:
    """Do what each line asks for, until there are no more."""
    contender = Contender(package, path)
    gc.freeze()
    for line in sys.stdin:
        do, what, runs = json.loads(line)
        print(json.dumps(getattr(contender, do)(what, runs)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
