"""Reports as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from dash_brain.cli.names import printable
from dash_brain.cli.reports import Report
from dash_brain.common.sizes import shown_size, shown_time

#: Characters of a name that are shown.
_LONGEST = 60

_NOTE = "The key they are signed with is none that this process has: set DASH_BRAIN_KEY as the app has it."


def of_spaces(report: Report, now: float) -> Iterator[str]:
    """Yield a line for each namespace."""
    rows = [
        [_name(one["namespace"]), str(one["values"]), _size(one), *_ages(one, now)]
        for one in report["namespaces"]
    ]
    yield from table(["NAMESPACE", "VALUES", "BYTES", "AGE", "IDLE"], rows)
    yield from unverified(sum(one["unverified"] for one in report["namespaces"]))


def of_values(report: Report, now: float) -> Iterator[str]:
    """Yield a line for each value of a namespace."""
    rows = [
        [
            _name(one["name"]),
            _type(one),
            "-" if one["bytes"] is None else shown_size(one["bytes"]),
            *_ages(one, now),
            _left(one["expires"], now),
        ]
        for one in report["values"]
    ]
    yield from table(["NAME", "TYPE", "BYTES", "AGE", "IDLE", "TTL"], rows)
    yield from unverified(sum(not one["verified"] for one in report["values"]))


def of_object(report: Report, now: float) -> Iterator[str]:
    """Yield a line for each thing that is known of a value."""
    age, idle = _ages(report, now)
    shown = {
        "name": printable(report["name"]),
        "namespace": printable(report["namespace"]),
        "type": printable(report["type"] or "-"),
        "bytes": f"{report['bytes']} ({shown_size(report['bytes'])})",
        "age": age,
        "idle": idle,
        "ttl": _left(report["expires"], now),
        "version": report["version"],
    }
    for fact in ("description", "function", "server_store"):
        if report[fact]:
            shown[fact] = printable(report[fact])
    width = max(map(len, shown))
    return (f"{click.style(f'{fact:{width}}', bold=True)}  {text}" for fact, text in shown.items())


def of_store(report: Report, now: float) -> Iterator[str]:
    """Yield what a store holds in all, by kind, what was done with it, and who holds most."""
    spilled = f", and {shown_size(report['on_disk'])} on disk" if report["on_disk"] else ""
    yield f"{report['store']}: {filling(report['bytes'], report['budget'])}{spilled}"
    yield f"{_counted(report['values'], 'value')}, {_counted(report['sessions'], 'session')} with values"
    if report["kinds"]:
        yield ""
        kinds = [
            [one["kind"], str(one["namespaces"]), str(one["values"]), shown_size(one["bytes"])]
            for one in report["kinds"]
        ]
        yield from table(["KIND", "NAMESPACES", "VALUES", "BYTES"], kinds)
        yield ""
        yield "The largest:"
        yield from of_spaces({"namespaces": report["largest"]}, now)
    if report["work"]:
        yield ""
        yield from _work(report["work"])


def _work(work: Report) -> Iterator[str]:
    """Yield what was done with values of each kind, and by single flight."""
    yield "Since it was made, by all processes of this host:"
    rows = [
        [_KINDS[kind], *(str(done[name]) for name in _DONE), str(sum(done["misses"].values()))]
        for kind, done in work["kinds"].items()
    ]
    yield from table(
        ["KIND", *map(str.upper, _DONE), "MISSES"], [row for row in rows if any(map(int, row[1:]))]
    )
    yield from _losses(work["kinds"])
    yield (
        f"{_counted(work['computations'], 'computation')} ({shown_time(work['compute_seconds'])}), "
        f"{_counted(work['waits'], 'wait')} for them ({shown_time(work['wait_seconds'])}), "
        f"{_counted(work['hits'], 'hit')}{_saved(work)}; {_counted(work['sessions_begun'], 'session')} begun"
    )


def _losses(kinds: dict[str, Report]) -> Iterator[str]:
    """Yield how much was evicted and for what, and how many values were gone when they were asked for."""
    done = list(kinds.values())
    evicted, for_quota = (sum(one[name] for one in done) for name in ("evicted", "evicted_for_quota"))
    if evicted:
        nbytes = shown_size(sum(one["evicted_bytes"] for one in done))
        yield f"Evicted: {nbytes}, {evicted_for(evicted - for_quota, for_quota)}"
    gone = {cause: count for cause, count in kinds["value"]["misses"].items() if count and cause != "unknown"}
    if gone:
        yield f"Values that were gone when they were read: {_listed(f'{gone[one]} {one}' for one in gone)}"


def evicted_for(room: int, quota: int) -> str:
    """Return how many values were evicted for what.

    Examples
    --------
    >>> evicted_for(0, 2)
    '2 values of sessions that were at their quota'
    """
    to = f"{_counted(room, 'value')} to make room in the store" if room else ""
    of = f"{_counted(quota, 'value')} of sessions that were at their quota" if quota else ""
    return _listed(filter(None, (to, of)))


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _saved(work: Report) -> str:
    """Return about how long the results would have taken that were there, as long as the others took."""
    if not work["hits"] or not work["computations"]:
        return ""
    return f" (which saved about {shown_time(work['hits'] * work['compute_seconds'] / work['computations'])})"


_KINDS = {"value": "values", "result": "results", "note": "notes", "copy": "near copies"}

#: What is shown of the counters; as JSON there are all of them.
_DONE = ("puts", "gets", "evicted", "expired", "deleted", "spilled", "refused")


def question(report: Report) -> str:
    """Return what is asked before values are removed."""
    return f"Remove {_removal(report)} from {report['store']}?"


def removed(report: Report) -> Iterator[str]:
    """Yield what is said when values were removed."""
    yield f"Removed {_removal(report)}." if report["removed"] else "There was nothing to remove."
    yield from unverified(report["age_unknown"], ", so nothing is known of their age")


def _removal(report: Report) -> str:
    spaces = report["namespaces"]
    where = printable(spaces[0]) if len(spaces) == 1 else f"{len(spaces)} namespaces"
    return f"{_counted(report['removed'], 'value')} ({_known_size(report)}) of {where}"


def _known_size(report: Report) -> str:
    """Return the bytes of what is removed, as far as they are known."""
    size, unknown = shown_size(report["bytes"]), report["unverified"]
    if not unknown:
        return size
    return "of unknown size" if unknown == report["removed"] else f"{size}, and {unknown} of unknown size"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; what is no text stands to the right.

    Examples
    --------
    >>> for line in table(["NAME", "BYTES"], [["orders", "1.5 KB"], ["a", "20 bytes"]]):
    ...     print(click.unstyle(line))
    NAME       BYTES
    orders    1.5 KB
    a       20 bytes
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    numbers = [title not in _TEXTS for title in head]
    for number, row in enumerate([head, *rows]):
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numbers, strict=True)
        ]
        line = "  ".join(cells).rstrip()
        yield line if number else click.style(line, bold=True)


_TEXTS = {"NAME", "NAMESPACE", "TYPE", "KIND"}


def _size(space: Report) -> str:
    return "-" if space["unverified"] == space["values"] else shown_size(space["bytes"])


def _name(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _type(value: Report) -> str:
    """Return the type of a value, with the ServerStore that it is for or the function that made it."""
    made = f" of {value['function']}" if value["function"] else ""
    held = f" for {value['server_store']}" if value["server_store"] else ""
    return _name(f"{value['type'] or '-'}{made}{held}")


def _ages(times: dict[str, Any], now: float) -> list[str]:
    """Return how long ago something was put, and used."""
    return ["-" if not times[one] else shown_time(now - times[one]) for one in ("created", "used")]


def _left(expires: float | None, now: float) -> str:
    return "-" if expires is None else shown_time(expires - now)


def filling(used: int, budget: int | None) -> str:
    """Return how full a store is."""
    if not budget:
        return f"{shown_size(used)} used, without a budget"
    return f"{shown_size(used)} of {shown_size(budget)} used ({used / budget:.0%})"


def unverified(count: int, so: str = "") -> Iterator[str]:
    """Yield how many values are not signed with a key that this process has; ``so``: what follows of that."""
    if count:
        yield f"{_counted(count, 'value')} cannot be verified{so}. {_NOTE}"
