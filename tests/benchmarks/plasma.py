"""Side by side with brain-plasma 0.3.3, in the last Python, pandas and pyarrow that it runs on.

Each contender works in a process of its own, and a pipe tells them when: they take turns, so that a busy
machine slows down both. *Cold* is the first access of a fresh process, opening the Brain included; its
modules are loaded before. *Warm* is any later one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path

from tests.benchmarks.contenders import Peer
from tests.benchmarks.plasma_server import plasma_python, plasma_store
from tests.benchmarks.timing import Fact, Row, Times
from tests.benchmarks.venvs import NotInstalled
from tests.benchmarks.workplace import Workplace

#: Run as a file and not as a module: brain-plasma installs a package ``tests`` of its own.
PEER = str(Path(__file__).with_name("peer.py"))

FEW, MANY = "10 strings", "100 strings"
LARGE, LARGER = "1M x 4 numbers", "10M x 4 numbers"
#: What to do with which value, rounds, and runs in a round: the first of them does not count.
WARM = [
    *(("learn_new", what, 10, 11) for what in (FEW, MANY)),
    *((do, MANY, 10, 11) for do in ("learn", "recall")),
    *((do, LARGE, 10, 3) for do in ("learn_new", "learn")),
    ("learn", LARGER, 5, 2),
    *(("recall", what, 10, 11) for what in (LARGE, LARGER)),
    ("add_up", LARGE, 10, 4),
    ("add_up", LARGER, 5, 3),
]
COLD = [("recall", MANY), ("recall", LARGER)]
FRESH_PROCESSES = 5
#: Seconds after which dash_brain has given back what it kept for the next value.
SETTLED = 12
WORDS = {
    "learn_new": "learn {} under new names",
    "learn": "learn {} over the old",
    "add_up": "recall {} and add them all up",
}


def rows(place: Workplace) -> Iterator[Row | Fact]:
    try:
        python = plasma_python()
    except NotInstalled as reason:
        yield Fact(f"brain-plasma is not installed: {reason}", "left out")
        return
    commands = {
        "dash_brain": [sys.executable, PEER, "dash_brain", str(place.folder)],
        # Without the warning, at every call, that Plasma is deprecated.
        "brain_plasma": [python, "-Wignore", PEER, "brain_plasma", str(place.folder / "socket")],
    }
    with plasma_store(place.folder / "socket", python) as server:
        with peers(commands) as both:
            yield kept(both, place.folder, server)
            yield from warm_rows(both)
        yield from cold_rows(commands)


def kept(both: Sequence[Peer], folder: Path, server: int) -> Fact:
    """Say how much shared memory a value leaves behind: in our files, and in those that the server holds."""
    for peer in both:
        peer.ask("learn", LARGER, 2)
        peer.ask("forget", LARGER)
    time.sleep(SETTLED)
    ours = megabytes(folder.rglob("*"))
    descriptors = Path(f"/proc/{server}/fd").iterdir()
    theirs = megabytes(file for file in descriptors if "/dev/shm" in os.readlink(file))
    what = f"320 MB learned twice and forgotten leave after {SETTLED} s"
    return Fact(what, f"{ours:.1f} MB", "brain-plasma", f"{theirs:.1f} MB")


def megabytes(files: Iterable[Path]) -> float:
    return sum(file.stat().st_blocks * 512 for file in files) / 1e6


def warm_rows(both: Sequence[Peer]) -> Iterator[Row]:
    for peer, what in product(both, (MANY, LARGE, LARGER)):
        peer.ask("learn", what)
        peer.ask("check", what)
    for do, what, rounds, runs in WARM:
        times: Times = ([], [])
        for _ in range(rounds):
            for peer, seconds in zip(both, times, strict=True):
                seconds += peer.ask(do, what, runs)[1:]
        yield Row(said(do, what), "brain-plasma", times)


def cold_rows(commands: dict[str, list[str]]) -> Iterator[Row]:
    times: list[Times] = [([], []) for _ in (*COLD, "import")]
    for number, (do, what) in enumerate(COLD):
        for _ in range(FRESH_PROCESSES):
            with peers(commands) as both:
                for peer, cold, importing in zip(both, times[number], times[-1], strict=True):
                    importing += peer.ask("imported")
                    cold += peer.ask(do, what)
        yield Row(f"the first access of a new process: {said(do, what)}", "brain-plasma", times[number])
    yield Row("import the package, pandas being there", "brain-plasma", times[-1])


def said(do: str, what: str) -> str:
    return WORDS.get(do, f"{do} {{}}").format(what)


@contextmanager
def peers(commands: dict[str, list[str]]) -> Iterator[list[Peer]]:
    """Run both contenders while the block runs; both have loaded their modules when it begins."""
    with ExitStack() as ending:
        both = [ending.enter_context(Peer(command)) for command in commands.values()]
        for peer in both:
            peer.ask("imported")
        yield both
