"""One of the stores of ``peer_stores.py`` in a process of its own, which works when it is told to.

    python tests/benchmarks/peer_contender.py DiskCache FOLDER REDIS_URL

A line of JSON asks, ``[what to do, with which value, how often]``; a line of JSON answers: the seconds of
each run, or an object with an error. Nothing of ``tests`` is imported, and nothing that one of the Pythons
with these stores lacks.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

import peer_stores  # beside this file, as are the values
import values

#: Seconds after which a command that is slow takes no further run.
ENOUGH = 0.4
#: What takes its part in the time of any peer.
LIBRARIES = ("pandas", "numpy", "pyarrow")
#: Pickles to about 1 KB.
FILTERS = {f"filter {number}": "x" * 20 for number in range(27)}


class Contender:
    """A store and the values that are kept in it."""

    def __init__(self, kind: str, folder: str, redis: str) -> None:
        self._store = getattr(peer_stores, kind)(Path(folder), redis)
        self._values: dict[str, Any] = {"filters": FILTERS}

    def put(self, what: str, runs: int) -> list[float]:
        """Keep the value, in place of the one that is there."""
        value = self._value(what)
        return timed(lambda: self._store.put(what, value), runs)

    def get(self, what: str, runs: int) -> list[float]:
        """Read the value."""
        return timed(lambda: self._store.get(what), runs)

    def add_up(self, what: str, runs: int) -> list[float]:
        """Read a frame of numbers and add them all up."""
        return timed(lambda: float(self._store.get(what).to_numpy().sum()), runs)

    def check(self, what: str, _runs: int) -> list[float]:
        """Fail unless the value is the one that was put; through JSON dates become text."""
        value, found = self._value(what), self._store.get(what)
        if what == "numbers":
            assert abs(found.to_numpy().sum() - value.to_numpy().sum()) < 1e-3
        else:
            assert list(found) == list(value)
            assert len(found) == len(value)
        return []

    def version(self, package: str, _runs: int) -> str:
        """Say which version is installed here."""
        return version(package) if package else f"Python {platform.python_version()}"

    def versions(self, _what: str, _runs: int) -> str:
        """Say with which Python and libraries of data this runs, as far as they are installed here."""
        return ", ".join(f"{name} {found}" for name, found in installed())

    def close(self, _what: str, _runs: int) -> list[float]:
        self._store.close()
        return []

    def _value(self, what: str) -> Any:
        if what not in self._values:
            self._values[what] = values.numbers(32) if what == "numbers" else values.orders(200_000)
        return self._values[what]


def installed() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def timed(work: Any, runs: int) -> list[float]:
    """Return the seconds of each run but the first; what is slow runs once, and that counts."""
    found: list[float] = []
    while len(found) < runs and sum(found) < ENOUGH:
        start = perf_counter()
        result = work()
        found.append(perf_counter() - start)
        del result
    return found[1:] or found


def main(kind: str, folder: str, redis: str) -> None:
    """Do what each line asks for, until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    contender: Any = None
    for line in sys.stdin:
        do, what, runs = json.loads(line)
        try:
            contender = contender or Contender(kind, folder, redis)
            answer = getattr(contender, do)(what, runs)
        except Exception as error:
            reason = (
                str(error) if isinstance(error, peer_stores.Unable) else f"{type(error).__name__}: {error}"
            )
            answer = {"error": reason[:200]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
