"""All that one may keep values in, in turns; one process writes, another one reads.

Each peer has an environment of its own, two processes, and a folder in shared memory; those in Redis share a
Redis on this machine. One that cannot be installed is named with the reason.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.charts import Chart
from tests.benchmarks.contenders import Peer, Refused
from tests.benchmarks.plasma_server import PACKAGES, plasma_python, plasma_store
from tests.benchmarks.timing import Line, shown
from tests.benchmarks.venvs import NotInstalled, python_with
from tests.benchmarks.workplace import Workplace
from tests.redis import redis_server, running

SCRIPT = str(Path(__file__).with_name("peer_contender.py"))


@dataclass(frozen=True)
class Job:
    """What a process does with a value, in so many rounds, so often in each; the first does not count."""

    title: str
    do: str
    what: str
    rounds: int
    runs: int


JOBS = (
    Job("write 32 MB of numbers", "put", "numbers", 7, 4),
    Job("read them and add them up", "add_up", "numbers", 7, 4),
    Job("write 200,000 mixed rows", "put", "orders", 5, 3),
    Job("read them", "get", "orders", 5, 3),
    Job("put 1 KB", "put", "filters", 10, 41),
    Job("get 1 KB", "get", "filters", 10, 41),
)


@dataclass
class Contestant:
    """A peer: its name, its class in ``peer_stores.py``, and what has to be installed: itself, and others."""

    name: str
    kind: str
    packages: Sequence[str] = ()
    missing: str = ""
    version: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    processes: tuple[Peer, ...] = ()
    times: dict[Job, list[float]] = field(default_factory=dict)
    refused: dict[Job, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """What tells the version; Python does for what is part of it."""
        own = "dash-brain" if self.kind.startswith("DashBrain") else ""
        return re.split("[=>]", self.packages[0])[0] if self.packages else own

    def run(self, job: Job, runs: int) -> None:
        """Have a job done by the writer or the reader, once more."""
        if job in self.refused or not self.processes:
            return
        writer, reader = self.processes
        try:
            seconds = (writer if job.do == "put" else reader).ask(job.do, job.what, runs)
        except Refused as reason:
            self.refused[job] = str(reason)
        else:
            self.times.setdefault(job, []).extend(seconds)

    def median(self, job: Job) -> float | None:
        return median(self.times[job]) if self.times.get(job) else None


def contestants() -> dict[str, list[Contestant]]:
    """Return those on one machine, and those in Redis; dash_brain is the first of both."""
    frames = ("pandas",)
    return {
        "on one machine": [
            Contestant("dash_brain", "DashBrain"),
            Contestant("pickle in a file", "Pickle"),
            Contestant("brain-plasma", "BrainPlasma", PACKAGES),
            Contestant("dcc.Store, as JSON", "DccStore", ("dash", *frames)),
            Contestant("Flask-Caching, files", "FlaskCaching", ("flask-caching", *frames)),
            Contestant("dash-extensions, files", "DashExtensions", ("dash-extensions", *frames)),
            Contestant("diskcache", "DiskCache", ("diskcache", *frames)),
            Contestant("joblib.Memory, mapped", "Joblib", ("joblib", *frames)),
            Contestant("LMDB", "Lmdb", ("lmdb", *frames)),
            Contestant("Feather, mapped", "Feather", ("pyarrow", *frames)),
            Contestant("multiprocessing.shared_memory", "SharedMemory"),
            Contestant("Ray's object store", "Ray", ("ray", *frames)),
        ],
        "in Redis": [
            Contestant("dash_brain in Redis", "DashBrainInRedis"),
            Contestant("pickle in Redis", "Redis", ("redis", *frames)),
            Contestant("Flask-Caching in Redis", "FlaskCachingInRedis", ("flask-caching", "redis", *frames)),
            Contestant(
                "dash-extensions in Redis", "DashExtensionsInRedis", ("dash-extensions", "redis", *frames)
            ),
            Contestant("Dash's shared storage", "SharedStorage", ("dash>=4.5.0rc0", "redis", *frames)),
        ],
    }


def rows(place: Workplace) -> Iterator[Line | Chart]:
    groups = contestants()
    everyone = [one for group in groups.values() for one in group]
    pythons = {one.name: prepared(one) for one in everyone}
    with ExitStack() as ending:
        server = ending.enter_context(running(redis_server()))
        for one in everyone:
            if not one.missing:
                start(one, pythons[one.name], place.folder / one.kind, server.url, ending)
        compete(everyone, draft=place.draft)
        for one in everyone:
            for process in one.processes[::-1]:
                with suppress(Refused):
                    process.ask("close")
    for where, group in groups.items():
        yield from lines(where, group)
    for where, group in groups.items():
        yield from charts(where, group)


def prepared(one: Contestant) -> str:
    """Return the Python of a peer, made at first need; or note why there is none."""
    if not one.packages:
        return sys.executable
    try:
        if one.kind == "BrainPlasma":
            return plasma_python()
        return python_with(one.kind.lower(), one.packages, (sys.executable, "python3.11"))
    except NotInstalled as reason:
        one.missing = f"not installed: {reason}"
        return ""


def start(one: Contestant, python: str, folder: Path, redis: str, ending: ExitStack) -> None:
    """Start both processes of a peer, and what it needs; the writer is the first to open the store."""
    folder.mkdir()
    try:
        if one.kind == "BrainPlasma":
            ending.enter_context(plasma_store(folder / "socket", python))
        command = [python, "-Wignore", SCRIPT, one.kind, str(folder), redis]
        processes = tuple(ending.enter_context(Peer(command)) for _ in range(2))
        for process in processes:
            one.version = process.said("version", one.package)
            one.versions = dict(each.split() for each in process.said("versions").split(", "))
        one.processes = processes
    except (Refused, OSError) as reason:
        one.missing = f"does not start: {reason}"


def compete(everyone: Sequence[Contestant], *, draft: bool) -> None:
    """Have all do each job in turns. A value is written before it is read, and looked at once."""
    for job in JOBS:
        if job.do == "put":
            for one in everyone:
                one.run(job, 1)
                one.times.clear() if job is JOBS[0] else one.times.pop(job, None)
        else:
            for one in everyone:
                check(one, job)
        for _ in range(2 if draft else job.rounds):
            for one in everyone:
                one.run(job, job.runs)


def check(one: Contestant, job: Job) -> None:
    """Have the reader see that the value is the one that was written; what was not written is not read."""
    written = next(other for other in JOBS if other.do == "put" and other.what == job.what)
    if written in one.refused:
        one.refused[job] = one.refused[written]
    elif one.processes:
        try:
            one.processes[1].ask("check", job.what)
        except Refused as reason:
            one.refused[job] = f"wrong: {reason}"


def lines(where: str, group: Sequence[Contestant]) -> Iterator[Line]:
    """Yield a line for each, compared with the first; the fastest readers first. Each group is a table."""
    ours, columns = group[0], (where, "version", *(job.title for job in JOBS))
    for one in ranked(group):
        if one.missing:
            yield Line([one.name, one.missing, *("" for _ in JOBS)], columns)
            continue
        cells = [cell(one, ours, job) for job in JOBS]
        seconds = [one.median(job) or 0.0 for job in JOBS]
        yield Line([one.name, one.version, *cells], columns, seconds, versions=one.versions)


def ranked(group: Sequence[Contestant]) -> list[Contestant]:
    return [group[0], *sorted(group[1:], key=lambda one: one.median(JOBS[1]) or float("inf"))]


def cell(one: Contestant, ours: Contestant, job: Job) -> str:
    """Return the seconds of a job, and how many times those of dash_brain that is; or why there are none."""
    seconds, own = one.median(job), ours.median(job)
    if seconds is None:
        return one.refused.get(job, "").partition(":")[0]
    if one is ours or own is None:
        return shown(seconds)
    return (
        f"{shown(seconds)}, {seconds / own:.2g}x"
        if seconds < 10 * own
        else f"{shown(seconds)}, {seconds / own:.0f}x"
    )


def charts(where: str, group: Sequence[Contestant]) -> Iterator[Chart]:
    """Yield charts of writing and of reading a large frame."""
    titles = {
        "write": "Write a frame of 32 MB over the old",
        "read": "Read it in another process, and add it up",
    }
    for job, (name, title) in zip(JOBS, titles.items(), strict=False):
        found = {one.name: one.median(job) for one in ranked(group)}
        bars = {peer: seconds for peer, seconds in found.items() if seconds}
        file = f"peers-{where.replace(' ', '-')}-{name}"
        yield Chart(file, f"{title}, {where} (logarithmic)", bars=bars)
