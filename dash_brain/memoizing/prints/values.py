"""Rules for Python's own containers, and for objects: these count by their class and by what pickle keeps."""

from __future__ import annotations

import copyreg
import itertools
import threading
from collections.abc import Callable
from pickle import PickleBuffer
from types import MappingProxyType
from typing import Any

from dash_brain.memoizing.prints.origins import found_by_name
from dash_brain.memoizing.prints.refusal import Refused, key_label
from dash_brain.memoizing.prints.sink import Sink, write_plain
from dash_brain.memoizing.prints.walk import Rule, Walk, refuse

#: The state of a lock decides when something is computed, not what: those that helpers hold do not count.
_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.local)


def _sequence(tag: bytes) -> Rule:
    def write(walk: Walk, sink: Sink, value: Any) -> None:
        sink.mark(tag, len(value))
        walk.items(sink, value)

    return write


def write_dict(walk: Walk, sink: Sink, value: Any, label: Callable[[Any], str] = key_label) -> None:
    """Write keys and values in their order."""
    sink.mark(b"D", len(value))
    if len(value) <= 1 << 10 and type(value) is dict and write_plain(sink, value, value, value.values()):
        return
    walk.items(sink, value, lambda number: f" (key {key_label(_nth(value, number))[1:-1]})")
    walk.items(sink, value.values(), lambda number: label(_nth(value, number)))


def _nth(value: Any, number: int) -> Any:
    return next(itertools.islice(value, number, None))


def _set(walk: Walk, sink: Sink, value: Any) -> None:
    """Write the elements in an order that the seed of hashes does not decide."""
    sink.mark(b"S" if type(value) is set else b"Z", len(value))
    kinds = set(map(type, value))
    if kinds in ({int}, {str}, {bytes}):
        walk.items(sink, sorted(value))
        return
    try:
        digests = sorted(map(walk.alone, value))
    except Refused as refused:
        raise refused.within("{…}") from None
    sink.write(b"".join(digests))


def _proxy(walk: Walk, sink: Sink, value: Any) -> None:
    sink.mark(b"P")
    write_dict(walk, sink, value)


def _lock(walk: Walk, sink: Sink, value: Any) -> None:
    if not walk.among_helpers:
        raise refuse(value)
    sink.mark(b"L")


def write_object(walk: Walk, sink: Sink, value: Any) -> None:
    """Write an object: its class, and what pickle would take to make it again."""
    sink.mark(b"O")
    walk.put(sink, type(value))
    reduced = _reduced(value)
    if isinstance(reduced, str):
        if found_by_name(str(getattr(value, "__module__", "")), reduced) is not value:
            raise refuse(value)
        sink.text(reduced)
        return
    made_by, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    walk.put(sink, made_by)
    walk.items(sink, arguments, ".<part {}>".format)
    _state(walk, sink, state)
    walk.items(sink, items or ())
    for key, part in pairs or ():
        walk.put_at(sink, f" (key {key_label(key)[1:-1]})", key)
        walk.put_at(sink, key_label(key), part)


def _state(walk: Walk, sink: Sink, state: Any) -> None:
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    sink.mark(b"a", len(parts))
    for part in parts:
        if type(part) is dict:
            write_dict(walk, sink, part, lambda name: f".{name}")
        else:
            walk.put_at(sink, ".<state>", part)


def _reduced(value: Any) -> Any:
    cls = type(value)
    reducer = copyreg.dispatch_table.get(cls)
    try:
        reduced = reducer(value) if reducer else value.__reduce_ex__(5)
    except (MemoryError, RecursionError, Refused):
        raise
    except Exception:
        raise refuse(value) from None
    if not isinstance(reduced, (str, tuple)):
        raise refuse(value)
    return reduced


def _pickle_buffer(walk: Walk, sink: Sink, value: Any) -> None:
    sink.mark(b"R")
    sink.buffer(value.raw())


def _count(walk: Walk, sink: Sink, value: Any) -> None:
    sink.mark(b"c")
    sink.text(repr(value))  # to pickle it is deprecated


RULES: dict[type, Rule] = {
    list: _sequence(b"["),
    tuple: _sequence(b"("),
    dict: write_dict,
    set: _set,
    frozenset: _set,
    MappingProxyType: _proxy,
    PickleBuffer: _pickle_buffer,
    itertools.count: _count,
    **dict.fromkeys(_LOCKS, _lock),
}
