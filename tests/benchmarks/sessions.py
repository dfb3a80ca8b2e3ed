"""Simulate many sessions on many hosts: how large the stores must be, and what crosses the network.

    python -m tests.benchmarks.sessions                             # the table of docs/sizing.md
    python -m tests.benchmarks.sessions --sessions 2000 --hosts 8 --near 2GB --far 16GB --value 5MB

Sessions come at random, stay for ``--stay`` on average, and do something every ``--think`` on average. Then
``--readers`` callbacks read one of the session's ``--stores`` values, which, one time in five, another
callback has made just before. A load balancer sends each request to a random host, or, with ``--sticky``, all
of a session to the same one. The far store holds all values, and evicts those used longest ago when it is
full. Each host keeps near copies of what it read or wrote, likewise. Sizes of values are lognormal.

A large simulation follows a sample of the sessions, with stores that are smaller in proportion: the hit rates
of an LRU cache hardly change by that (Waldspurger et al., "Cache Modeling and Optimization using Miniature
Simulations", 2017).
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import OrderedDict
from dataclasses import dataclass, field

from dash_brain.common.sizes import parse_size

_SAMPLE = 4_000  #: so many sessions are followed at most
_WARM = 1.5  #: values are counted from here on, in mean stays
_COUNTED = 1.5  #: for so long, in mean stays
_WRITES = 0.2  #: share of the actions that make a value
_SPREAD = 1.0  #: sigma of the logarithm of a value's size

#: Sessions at once, and hosts: the table of the page on sizing.
_TABLE = ((10, 1), (100, 2), (1_000, 4), (10_000, 40), (100_000, 100), (100_000, 1_000))


@dataclass(frozen=True)
class Load:
    """How users behave, and what the stores hold; sizes in bytes, times in seconds."""

    sessions: int
    hosts: int
    near: float
    far: float
    value: float = 5e6
    stores: int = 3
    readers: int = 3
    stay: float = 20 * 60
    think: float = 20
    sticky: bool = False


class Lru:
    """A store of sizes by key that evicts what was used longest ago."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.used = 0.0
        self.evicted = 0
        self._sizes: OrderedDict[int, float] = OrderedDict()

    def put(self, key: int, size: float) -> None:
        """Keep it, in place of what was used longest ago; what is larger than the store is not kept."""
        if size > self.budget:
            return
        self._sizes[key] = size
        self.used += size
        while self.used > self.budget:
            _, gone = self._sizes.popitem(last=False)
            self.used -= gone
            self.evicted += 1

    def get(self, key: int) -> bool:
        """Say whether it is there, and count that as a use."""
        if key not in self._sizes:
            return False
        self._sizes.move_to_end(key)
        return True

    def delete(self, key: int) -> None:
        """Remove it, if it is there."""
        self.used -= self._sizes.pop(key, 0.0)


@dataclass
class Counts:
    """What happened while it was counted."""

    reads: int = 0
    near: int = 0
    lost: int = 0
    sent: float = 0.0
    fetched: float = 0.0
    peak: float = 0.0


@dataclass
class Session:
    """The values that a session holds, by store: id and size."""

    ends: float
    host: Lru  #: where a sticky session goes
    values: dict[int, tuple[int, float]] = field(default_factory=dict)


class Simulation:
    """A sample of the sessions of a load, and stores in proportion."""

    def __init__(self, load: Load, seed: int = 1) -> None:
        self.load = load
        self.share = min(1.0, _SAMPLE / load.sessions)
        self.far = Lru(load.far * self.share)
        self.hosts = [Lru(load.near * self.share) for _ in range(load.hosts)]
        self.counts = Counts()
        self._random = random.Random(seed)
        self._ids = 0

    def run(self) -> Counts:
        """Let the sessions come and go until all is counted."""
        load, random_ = self.load, self._random
        begin, end = _WARM * load.stay, (_WARM + _COUNTED) * load.stay
        events: list[tuple[float, int, Session]] = []
        for number in range(round(load.sessions * self.share)):
            heapq.heappush(events, (random_.uniform(0, load.think), number, self._arrival(0.0)))
        while events[0][0] < end:
            now, number, session = events[0]
            if now < session.ends:
                self._act(session, counted=now >= begin)
            else:  # its tab is closed, and somebody else comes
                self._leave(session)
                session = self._arrival(now)
            heapq.heapreplace(events, (now + random_.expovariate(1 / load.think), number, session))
        return self.counts

    def _arrival(self, now: float) -> Session:
        return Session(now + self._random.expovariate(1 / self.load.stay), self._random.choice(self.hosts))

    def _leave(self, session: Session) -> None:
        for key, _ in session.values.values():
            self.far.delete(key)

    def _host(self, session: Session) -> Lru:
        return session.host if self.load.sticky else self._random.choice(self.hosts)

    def _act(self, session: Session, counted: bool) -> None:
        store = self._random.randrange(self.load.stores)
        if store not in session.values or self._random.random() < _WRITES:
            self._write(session, store, self._host(session), counted)
        for _ in range(self.load.readers):
            self._read(*session.values[store], self._host(session), counted)

    def _write(self, session: Session, store: int, host: Lru, counted: bool) -> None:
        if store in session.values:
            self.far.delete(session.values[store][0])
        self._ids += 1
        size = self.load.value * self._random.lognormvariate(-(_SPREAD**2) / 2, _SPREAD)
        session.values[store] = self._ids, size
        self.far.put(self._ids, size)
        host.put(self._ids, size)
        if counted:
            self.counts.sent += size
            self.counts.peak = max(self.counts.peak, self.far.used)

    def _read(self, key: int, size: float, host: Lru, counted: bool) -> None:
        there = self.far.get(key)  # the one round trip, with which the value counts as used
        near = there and host.get(key)
        if there and not near:
            host.put(key, size)
        if counted:
            self.counts.reads += 1
            self.counts.lost += not there
            self.counts.near += near
            self.counts.fetched += size * (there and not near)


def row(load: Load) -> str:
    """Simulate a load and return its row of the table."""
    simulation = Simulation(load)
    counts = simulation.run()
    seconds, share = _COUNTED * load.stay, simulation.share
    calls = load.sessions / load.think * (load.readers + _WRITES)
    network = counts.sent + counts.fetched

    def rate(nbytes: float) -> str:
        return f"{nbytes / seconds / share / 1e6:,.1f} MB/s"

    cells = (
        f"{load.sessions:,}",
        f"{load.hosts:,}{', sticky' * load.sticky}",
        f"{calls:,.0f}/s",
        f"{counts.near / counts.reads:.0%}",
        f"{counts.lost / counts.reads:.1%}",
        f"{counts.peak / share / 1e9:,.1f} GB",
        rate(counts.sent),
        rate(counts.fetched),
        rate(network / load.hosts),
    )
    return f"| {' | '.join(cells)} |"


_COLUMNS = (
    *("sessions at once", "hosts", "callbacks", "reads near", "reads of what was evicted"),
    *("far store holds", "written to it", "fetched from it", "network of a host"),
)
HEADER = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def main() -> None:
    """Print the table, or the row of the load that the command line describes."""
    parser = argparse.ArgumentParser(description="Simulate sessions on several hosts.")
    parser.add_argument("--sessions", type=int, help="at once; without it: the whole table")
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--near", type=parse_size, default=parse_size("2GB"), help="of each host")
    parser.add_argument("--far", type=parse_size, help="of the far store; by default as much as is needed")
    parser.add_argument("--value", type=parse_size, default=parse_size("5MB"), help="mean size")
    parser.add_argument("--stores", type=int, default=3, help="values that a session holds")
    parser.add_argument("--readers", type=int, default=3, help="callbacks that read a value at once")
    parser.add_argument("--sticky", action="store_true", help="all requests of a session go to one host")
    parser.add_argument("--stay", type=float, default=20 * 60, help="seconds")
    parser.add_argument("--think", type=float, default=20, help="seconds between callbacks")
    given = vars(parser.parse_args())
    given["far"] = given["far"] or float("inf")
    print(HEADER)
    if given["sessions"] is not None:
        print(row(Load(**given)))
        return
    for sessions, hosts in _TABLE:
        for sticky in (False, True) if hosts > 1 else (False,):
            load = Load(**{**given, "sessions": sessions, "hosts": hosts, "sticky": sticky})
            print(row(load), flush=True)


if __name__ == "__main__":
    main()
