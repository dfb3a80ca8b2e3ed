"""How the time of an operation grows: with names, sessions, processes, and the size of a value."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, time
from typing import Any

import numpy as np

from dash_brain import Brain
from dash_brain.stores import FileStore
from tests.benchmarks.charts import Chart
from tests.benchmarks.timing import Line, once, shown
from tests.benchmarks.workplace import Workplace

Points = dict[str, list[tuple[float, float]]]

NAMES = (10, 100, 1_000, 10_000, 100_000)
SESSIONS = (1, 10, 100, 1_000, 10_000)
PROCESSES = (1, 2, 4, 8, 16, 32, 64)
SIZES = (1_000, 10_000, 100_000, 10**6, 10**7, 10**8, 10**9, 2 * 10**9)
#: Seconds that processes work at once, and seconds after which a slow operation takes no further run.
BUSY, ENOUGH = 1.5, 1.0


def rows(place: Workplace) -> Iterator[Line | Chart]:
    """Yield a table and a chart of each."""
    steps = slice(-2) if place.draft else slice(None)
    found = names(place.folder / "names", NAMES[steps])
    yield from told("names", "names", "Time with so many names in the store", found)
    found = sessions(place.folder / "sessions", SESSIONS[steps])
    yield from told("sessions", "sessions", "Time with so many sessions, each with a value of 1 KB", found)
    found = processes(place.folder / "processes", PROCESSES[steps])
    yield from told("processes", "processes", "Operations a second of so many processes, all together", found)
    found = sizes(place.folder / "sizes", SIZES[steps])
    yield from told("size", "bytes", "Time with a value of so many bytes", found)


def told(name: str, along: str, title: str, points: Points) -> Iterator[Line | Chart]:
    """Yield the chart, and a table with a line for each of its steps."""
    up = "operations" if name == "processes" else "seconds"
    steps = sorted({x for line in points.values() for x, _ in line})
    columns = (along, *points)
    for step in steps:
        found = [dict(line).get(step) for line in points.values()]
        cells = ["" if y is None else shown(y) if up == "seconds" else f"{y:,.0f}" for y in found]
        yield Line([f"{step:,.0f}", *cells], columns, [y or 0.0 for y in found])
    yield Chart(f"growth-{name}", title, along, up, lines=points)


def names(folder: Path, steps: Sequence[int]) -> Points:
    """Put, get and list names, and sweep, while their number grows."""
    store = FileStore(folder)
    brain, turns = Brain(store=store), count()
    points: Points = {"put": [], "get": [], "names()": [], "sweep": []}
    for before, step in pairwise((0, *steps)):
        for number in range(before, step):
            brain[f"name {number}"] = number

        def turn(step: int = step) -> str:  # a prime: all names have their turn
            return f"name {next(turns) * 7919 % step}"

        points["put"].append((step, usual(lambda: brain.learn(turn(), 1), 500)))
        points["get"].append((step, usual(lambda: brain[turn()], 500)))
        points["names()"].append((step, usual(brain.names, 5)))
        points["sweep"].append((step, usual(store.sweep, 3)))
    store.close()
    shutil.rmtree(folder)
    return points


def sessions(folder: Path, steps: Sequence[int]) -> Points:
    """Begin a session, use one, and sweep what is over, while the number of sessions grows."""
    seconds = [time()]
    store, turns = FileStore(folder, clock=lambda: seconds[0]), count()
    value = [bytes(1000)]
    store.put("brain/first", "value", value)  # which opens the store
    points: Points = {"first value of a session": [], "put": [], "get": [], "sweep": []}
    for before, step in pairwise((0, *steps)):
        new = (f"session/{number}" for number in range(before, step))
        first = [once(partial(store.put, session, "value", value, ttl=3600)) for session in new]

        def turn(step: int = step) -> str:
            return f"session/{next(turns) * 7919 % step}"

        points["first value of a session"].append((step, median(first)))
        points["put"].append((step, usual(lambda: store.put(turn(), "value", value, ttl=3600), 500)))
        points["get"].append((step, usual(lambda: store.get(turn(), "value"), 500)))
        points["sweep"].append((step, usual(store.sweep, 3)))
    store.close()
    shutil.rmtree(folder)
    return points


def processes(folder: Path, steps: Sequence[int]) -> Points:
    """Count what so many processes do at once, each with a name of its own, and all with the same one."""
    jobs = {"get, each its own": (get, False), "get, all the same": (get, True)}
    jobs |= {"put, each its own": (put, False), "put, all the same": (put, True)}
    context, most = get_context("fork"), max(steps)
    points: Points = {name: [] for name in jobs}
    for name, (job, same) in jobs.items():
        for step in steps:
            barrier, done = context.Barrier(step), context.SimpleQueue()
            keys = ["same" if same else f"own {number % most}" for number in range(step)]
            workers = [context.Process(target=work, args=(folder, key, job, barrier, done)) for key in keys]
            for worker in workers:
                worker.start()
            times, starts, ends = zip(*(done.get() for _ in workers), strict=True)
            points[name].append((step, sum(times) / (max(ends) - min(starts))))
            for worker in workers:
                worker.join()
    shutil.rmtree(folder)
    return points


def work(folder: Path, key: str, job: Callable[[Brain, str], Any], together: Any, done: Any) -> None:
    """Do a job while others do, and say how often, and from when to when by the clock that all share."""
    brain = Brain(path=folder)
    put(brain, key)
    together.wait()
    times, start = 0, perf_counter()
    while perf_counter() < start + BUSY:
        job(brain, key)
        times += 1
    done.put((times, start, perf_counter()))


def put(brain: Brain, key: str) -> None:
    brain[key] = 2024


def get(brain: Brain, key: str) -> Any:
    return brain[key]


def sizes(folder: Path, steps: Sequence[int]) -> Points:
    """Put, get, and get and add up numbers of growing size; a copy in memory that is warm is the limit."""
    store = FileStore(folder)
    brain = Brain(store=store)
    points: Points = {"put over the old": [], "get": [], "get and add up": [], "copy in memory": []}
    for step in steps:
        value = np.ones(step // 8)
        copy = value.copy()
        points["put over the old"].append((step, usual(partial(brain.learn, "value", value), 50)))
        points["get"].append((step, usual(lambda: brain["value"], 50)))
        points["get and add up"].append((step, usual(lambda: brain["value"].sum(), 50)))
        points["copy in memory"].append((step, usual(partial(np.copyto, copy, value), 50)))
        brain.clear()
    store.close()
    return points


def usual(operation: Callable[[], Any], runs: int) -> float:
    """Return the median of so many runs after the first, or of what is done in a second."""
    first = once(operation)
    found: list[float] = []
    while len(found) < runs and sum(found) < ENOUGH:
        found.append(once(operation))
    return median(found or [first])
