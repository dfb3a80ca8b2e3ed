"""What was done with a store: counted where it is done, read when somebody asks.

Each process counts in a row of words that only it writes. Nothing is sent for it, and nobody waits for
another process: who reads adds the rows up. Those of a mapped store lie in its ledger, which every process of
the host maps (``dash_brain/stores/mapped/space/rows.py``), others in the memory of the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Literal, NamedTuple

from dash_brain.common.forks import reset_in_children
from dash_brain.stores.namespaces import DOMAINS

#: The kinds of values that are counted apart: those that people keep; results that can be computed again;
#: what dash_brain notes for itself; copies of what lies beyond a network.
KINDS = ("value", "result", "note", "copy")

_KIND_OF = {"value": "value", "result": "result", "recipe": "note", "note": "note", "passing": "note"}


class Done(NamedTuple):
    """What was done with values of one kind, since the store was made; times are nanoseconds.

    A new counter is a field here or of :class:`Flown`, always the last one, and a new ``LAYOUT``.
    """

    puts: int
    put_bytes: int
    put_time: int
    gets: int
    got_bytes: int
    get_time: int
    missed_unknown: int
    missed_evicted: int
    missed_expired: int
    missed_deleted: int
    refused: int
    evicted: int
    evicted_bytes: int
    expired: int
    deleted: int
    spilled: int
    spilled_bytes: int
    evicted_for_quota: int


class Flown(NamedTuple):
    """Sessions that began, computations of single flight and waits for them, and memoized calls whose result
    was there; times are nanoseconds.
    """

    sessions: int
    computations: int
    compute_time: int
    waits: int
    wait_time: int
    hits: int


class Counts(NamedTuple):
    """All that was counted, by which processes: by kind, and what belongs to none."""

    shared: Literal["process", "host"]
    done: dict[str, Done]
    flown: Flown


#: Raised with each change of the words: rows of another layout count as empty. The first word of a row.
LAYOUT = 2
#: Words of 8 bytes in a row, most of them for counters to come.
WORDS = 128

_FIRST = {kind: 1 + number * len(Done._fields) for number, kind in enumerate(KINDS)}
_FLOWN = 1 + len(KINDS) * len(Done._fields)
_PUTS, _GETS, _REFUSED, _SPILLED = map(Done._fields.index, ("puts", "gets", "refused", "spilled"))
_CAUSES = {
    reason: Done._fields.index(f"missed_{reason}") for reason in ("unknown", "evicted", "expired", "deleted")
}
_REMOVALS = {reason: Done._fields.index(reason) for reason in ("evicted", "expired", "deleted")}
_FOR_QUOTA = Done._fields.index("evicted_for_quota")

_OF_VALUES = _FIRST["value"]
#: The first word of what is counted for a domain, but for those whose values are of kind "value".
_OF_DOMAIN = {
    **{name: _FIRST[_KIND_OF[domain.retention.kind]] for name, domain in DOMAINS.items()},
    "near": _FIRST["copy"],
}


class Counters:
    """The counters of one store, as this process adds to them, and reads those of all.

    A place of the store (``where``) is a namespace or anything in it: the domain that it begins with says of
    which kind a value is.

    Parameters
    ----------
    row
        The words of this process; by default some of its own memory.
    rows
        Returns the words of all rows, one after the other; by default there is this one only.

    Examples
    --------
    >>> counters = Counters()
    >>> counters.note_put("brain/default", 1000, perf_counter_ns())
    >>> counters.read().done["value"].put_bytes
    1000
    """

    def __init__(
        self, row: memoryview | None = None, rows: Callable[[], Sequence[int]] | None = None
    ) -> None:
        self._shared: Literal["process", "host"] = "process" if row is None else "host"
        self._row = memoryview(bytearray(8 * WORDS)).cast("q") if row is None else row
        self._rows = self._row.tolist if rows is None else rows
        # Reentrant: a finalizer may run inside the guarded lines and come here again.
        self._guard = threading.RLock()
        if self._row[0] != LAYOUT:
            self._row[:] = memoryview(bytes(8 * WORDS)).cast("q")
            self._row[0] = LAYOUT
        if row is None:
            reset_in_children(self)

    def note_put(self, where: str, nbytes: int, started: int) -> None:
        """Count a value that was put, and the time since ``started`` by ``perf_counter_ns``."""
        row, at = self._row, _OF_DOMAIN.get(where.partition("/")[0], _OF_VALUES) + _PUTS
        self._guard.acquire()  # `with` takes twice as long, and every put comes here
        try:
            row[at] += 1
            row[at + 1] += nbytes
            row[at + 2] += perf_counter_ns() - started
        finally:
            self._guard.release()

    def note_get(self, where: str, nbytes: int, started: int) -> None:
        """Count a value that was read, and the time since ``started`` by ``perf_counter_ns``."""
        row, at = self._row, _OF_DOMAIN.get(where.partition("/")[0], _OF_VALUES) + _GETS
        self._guard.acquire()  # `with` takes twice as long, and every get comes here
        try:
            row[at] += 1
            row[at + 1] += nbytes
            row[at + 2] += perf_counter_ns() - started
        finally:
            self._guard.release()

    def note_miss(self, where: str, reason: str) -> None:
        """Count a read of what is not there, by the ``reason`` of its error; others than ours are unknown."""
        self._add(where, _CAUSES.get(reason, _CAUSES["unknown"]), 1)

    def note_refusal(self, where: str) -> None:
        """Count a value that was not put because there is no room for it."""
        self._add(where, _REFUSED, 1)

    def note_removal(self, where: str, reason: str, nbytes: int, number: int = 1) -> None:
        """Count values that were evicted or deleted, or had expired; of evicted ones the bytes too.

        What was evicted because its session was at its ``"quota"`` counts as evicted, and apart.
        """
        if reason == "quota":
            self._add(where, _FOR_QUOTA, number)
            reason = "evicted"
        self._add(where, _REMOVALS[reason], number, *[nbytes] * (reason == "evicted"))

    def note_spill(self, where: str, nbytes: int) -> None:
        """Count a value that was spilled to disk."""
        self._add(where, _SPILLED, 1, nbytes)

    def note_session(self) -> None:
        """Count a session that has begun."""
        self._add_at(_FLOWN, 1)

    def note_computation(self, started: int) -> None:
        """Count a value that was computed, once for all who wait for it."""
        self._add_at(_FLOWN + 1, 1, perf_counter_ns() - started)

    def note_wait(self, started: int) -> None:
        """Count a caller that waited for what another one computes."""
        self._add_at(_FLOWN + 3, 1, perf_counter_ns() - started)

    def note_hit(self) -> None:
        """Count a call of a memoized function or callback whose result was there."""
        self._add_at(_FLOWN + 5, 1)

    def read(self) -> Counts:
        """Return the sums over all rows."""
        words = self._rows()
        rows = [words[at : at + WORDS] for at in range(0, len(words), WORDS) if words[at] == LAYOUT]
        sums = [sum(column) for column in zip(*rows, strict=True)] or [0] * WORDS
        width = len(Done._fields)
        done = {kind: Done._make(sums[first : first + width]) for kind, first in _FIRST.items()}
        return Counts(self._shared, done, Flown._make(sums[_FLOWN : _FLOWN + len(Flown._fields)]))

    def reset_after_fork(self) -> None:
        """Count from 0 in a child: what the parent did, the parent counts."""
        self.__init__()  # type: ignore[misc]

    def _add(self, where: str, column: int, *amounts: int) -> None:
        self._add_at(_OF_DOMAIN.get(where.partition("/")[0], _OF_VALUES) + column, *amounts)

    def _add_at(self, at: int, *amounts: int) -> None:
        row = self._row
        with self._guard:
            for word, amount in enumerate(amounts, at):
                row[word] += amount
