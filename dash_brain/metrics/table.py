"""The metrics: their names, units and meanings, and how each is read from :class:`Stats`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, TypeAlias

from dash_brain.metrics.stats import KindStats, Stats

#: Labels and a number. Labels have few values: never a key, a session or a name that a user chose.
Sample: TypeAlias = "tuple[dict[str, str], float]"


class Metric(NamedTuple):
    """One metric.

    Attributes
    ----------
    name
        Without the prefix ``dash_brain_``, and without ``_total``.
    type
        A ``"counter"`` grows only, until the store is made anew; a ``"gauge"`` says what is so now.
    unit
        ``"bytes"``, ``"seconds"``, or ``""`` for a number of things.
    help
        What it means, in a sentence.
    samples
        Returns its numbers.
    """

    name: str
    type: Literal["counter", "gauge"]
    unit: str
    help: str
    samples: Callable[[Stats], Iterable[Sample]]


def _by_kind(name: str, read: Callable[[KindStats], float], help_text: str) -> Metric:
    def samples(stats: Stats) -> Iterable[Sample]:
        return [({"kind": kind}, read(one)) for kind, one in stats.kinds.items()]

    return Metric(name, "counter", _unit(name), help_text, samples)


def _one(
    name: str, metric_type: Literal["counter", "gauge"], read: Callable[[Stats], float | None], text: str
) -> Metric:
    def samples(stats: Stats) -> Iterable[Sample]:
        value = read(stats)
        return [] if value is None else [({}, value)]

    return Metric(name, metric_type, _unit(name), text, samples)


def _unit(name: str) -> str:
    last = name.rpartition("_")[2]
    return last if last in ("bytes", "seconds") else ""


def _misses(stats: Stats) -> Iterable[Sample]:
    return [
        ({"kind": kind, "cause": cause}, count)
        for kind, one in stats.kinds.items()
        for cause, count in one.misses.items()
    ]


#: All of them, in the order in which they are shown.
METRICS = (
    _one("reachable", "gauge", lambda one: int(one.is_reachable), "1 if the store can be used, else 0."),
    _one("used_bytes", "gauge", lambda one: one.used, "Bytes that all values in the store take."),
    _one("budget_bytes", "gauge", lambda one: one.budget, "Bytes that values in the store may take."),
    _one("on_disk_bytes", "gauge", lambda one: one.spilled, "Bytes that were spilled and lie on disk."),
    _one("sessions", "gauge", lambda one: one.sessions, "Browser sessions that have not ended."),
    _one("sessions_begun", "counter", lambda one: one.sessions_begun, "Browser sessions that began."),
    _by_kind("puts", lambda one: one.puts, "Values that were stored."),
    _by_kind("put_bytes", lambda one: one.put_bytes, "Bytes of the values that were stored."),
    _by_kind("put_seconds", lambda one: one.put_seconds, "Time that storing values took."),
    _by_kind("refused_puts", lambda one: one.refused, "Values that were not stored: there was no room."),
    _by_kind("gets", lambda one: one.gets, "Values that were read."),
    _by_kind("get_bytes", lambda one: one.get_bytes, "Bytes of the values that were read."),
    _by_kind("get_seconds", lambda one: one.get_seconds, "Time that reading values took."),
    Metric("misses", "counter", "", "Reads of values that are not there, by cause.", _misses),
    _by_kind("evictions", lambda one: one.evicted, "Values that were removed to make room."),
    _by_kind("evicted_bytes", lambda one: one.evicted_bytes, "Bytes of the values that were evicted."),
    _by_kind(
        "quota_evictions",
        lambda one: one.evicted_for_quota,
        "Values that were evicted because their session was at its quota.",
    ),
    _by_kind("expirations", lambda one: one.expired, "Values that were removed when they had expired."),
    _by_kind("deletions", lambda one: one.deleted, "Values that were removed on request."),
    _by_kind("spills", lambda one: one.spilled, "Values that were spilled to disk."),
    _by_kind("spilled_bytes", lambda one: one.spilled_bytes, "Bytes of the values that were spilled."),
    _one("hits", "counter", lambda one: one.hits, "Memoized calls whose result was there."),
    _one("computations", "counter", lambda one: one.computations, "Values computed by single flight."),
    _one("compute_seconds", "counter", lambda one: one.compute_seconds, "Time that computing them took."),
    _one("waits", "counter", lambda one: one.waits, "Callers that waited for another's computation."),
    _one("wait_seconds", "counter", lambda one: one.wait_seconds, "Time that they waited."),
)
