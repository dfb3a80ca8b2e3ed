"""Rules for containers of Python, and for objects: these count by their class and the state for pickle."""

from __future__ import annotations

import array
import collections
import copyreg
import itertools
import threading
import zlib
from collections.abc import Callable
from pickle import PickleBuffer
from types import MappingProxyType
from typing import Any

import numpy as np

from dash_brain.memo.fingerprints.hasher import DIGEST, Hasher
from dash_brain.memo.fingerprints.no_fingerprint import NoFingerprint, key_label
from dash_brain.memo.fingerprints.origins import found_by_name
from dash_brain.memo.fingerprints.walk import AT_ONCE, FEW, Rule, Walk, refuse

#: The state of a lock decides when something is computed, not what: those that helpers hold do not count.
_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.local)


#: Makes an object of a class without arguments, to be filled by its state.
_FILLED: Any = copyreg.__newobj__  # type: ignore[attr-defined]


#: Elements of a set that are put in order together.
_SORTED_TOGETHER = 1 << 20


def _sequence(tag: bytes) -> Rule:
    def write(walk: Walk, hasher: Hasher, value: Any) -> None:
        hasher.mark(tag, len(value))
        walk.items(hasher, value)

    return write


def write_dict(walk: Walk, hasher: Hasher, value: Any, label: Callable[[Any], str] = key_label) -> None:
    """Write keys and values in their order."""
    hasher.mark(b"D", len(value))
    if len(value) <= 1 << 10 and type(value) is dict and walk.plain(hasher, value, value, value.values()):
        return
    walk.items(hasher, value, lambda number: f" (key {key_label(_nth(value, number))[1:-1]})")
    walk.items(hasher, value.values(), lambda number: label(_nth(value, number)))


def _nth(value: Any, number: int) -> Any:
    return next(itertools.islice(value, number, None))


def _set(walk: Walk, hasher: Hasher, value: Any) -> None:
    """Write the elements in an order that the seed of hashes does not decide; large sets in several parts."""
    hasher.mark(b"S" if type(value) is set else b"Z", len(value))
    parts, kinds = 1 + len(value) // _SORTED_TOGETHER, set(map(type, value))
    number_of = _NUMBERS_OF.get(next(iter(kinds))) if len(kinds) == 1 else None
    for part in range(parts):
        if number_of is None:
            hasher.write(_sorted_digests(walk, value, parts, part))
        else:
            some = [one for one in value if number_of(one) % parts == part] if parts > 1 else value
            walk.items(hasher, sorted(some))


#: By type of all elements, what tells in which part of a large set one of them is.
_NUMBERS_OF: dict[type, Callable[[Any], int]] = {
    int: int,
    bytes: zlib.crc32,
    str: lambda text: zlib.crc32(text.encode("utf-8", "surrogatepass")),
}


def _sorted_digests(walk: Walk, value: Any, parts: int, part: int) -> bytearray:
    digests = bytearray()
    for one in value:
        try:
            digest = walk.alone(one)
        except NoFingerprint as refused:
            raise refused.within("{…}") from None
        if digest[0] % parts == part:
            digests += digest
    np.frombuffer(digests, f"S{DIGEST}").sort()
    return digests


def _proxy(walk: Walk, hasher: Hasher, value: Any) -> None:
    hasher.mark(b"P")
    write_dict(walk, hasher, value)


def _lock(walk: Walk, hasher: Hasher, value: Any) -> None:
    if not walk.among_helpers:
        raise refuse(value)
    hasher.mark(b"L")


def _bare(walk: Walk, hasher: Hasher, value: object) -> None:
    """Write a sentinel of a function by its type; another one that is passed can only be told by identity."""
    if not walk.is_in_function:
        raise refuse(value)
    hasher.mark(b"0")


def write_object(walk: Walk, hasher: Hasher, value: Any) -> None:
    """Write an object: its class, and what pickle would take to make it again."""
    hasher.mark(b"O")
    walk.put(hasher, type(value))
    reduced = _reduced(value)
    if isinstance(reduced, str):
        if found_by_name(str(getattr(value, "__module__", "")), reduced) is not value:
            raise refuse(value)
        hasher.text(reduced)
        return
    made_by, arguments, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if not (made_by is _FILLED and len(arguments) == 1 and arguments[0] is type(value)):
        walk.put(hasher, made_by)
        walk.items(hasher, arguments, ".<part {}>".format)
    _state(walk, hasher, state)
    if items is pairs is setter is None:
        return
    hasher.mark(b"+")
    walk.put_at(hasher, ".<setter>", setter)
    walk.items(hasher, items or ())
    for key, part in pairs or ():
        walk.put_at(hasher, f" (key {key_label(key)[1:-1]})", key)
        walk.put_at(hasher, key_label(key), part)


def write_small_object(walk: Walk, hasher: Hasher, value: Any) -> bool:
    """Write an object of a few plain attributes, without a digest of its own; say whether it is one."""
    cls: Any = type(value)
    if cls.__reduce_ex__ is not object.__reduce_ex__ or cls.__reduce__ is not object.__reduce__:
        return False
    made_by, arguments, state, *rest = (*_reduced(value), None, None)[:5]
    if made_by is not _FILLED or len(arguments) != 1 or rest != [None, None]:
        return False
    if type(state) is not dict or len(state) > FEW:
        return False
    if not walk.plain(hasher, state, state, state.values(), tag=b"o"):
        return False
    walk.meet(cls)
    walk.put(hasher, cls)
    return True


AT_ONCE[write_object] = write_small_object


def _state(walk: Walk, hasher: Hasher, state: Any) -> None:
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    hasher.mark(b"a", len(parts))
    for part in parts:
        if type(part) is dict:
            write_dict(walk, hasher, part, lambda name: f".{name}")
        else:
            walk.put_at(hasher, ".<state>", part)


def _reduced(value: Any) -> Any:
    cls = type(value)
    reducer = copyreg.dispatch_table.get(cls)
    try:
        reduced = reducer(value) if reducer else value.__reduce_ex__(5)
    except (MemoryError, RecursionError, NoFingerprint):
        raise
    except Exception:
        raise refuse(value) from None
    if not isinstance(reduced, (str, tuple)):
        raise refuse(value)
    return reduced


def _pickle_buffer(walk: Walk, hasher: Hasher, value: Any) -> None:
    hasher.mark(b"R")
    hasher.buffer(value.raw())


def _array(walk: Walk, hasher: Hasher, value: Any) -> None:
    hasher.mark(b"Y")
    hasher.text(value.typecode)
    hasher.buffer(value)


def _counter(walk: Walk, hasher: Hasher, value: Any) -> None:
    hasher.mark(b"N")
    write_dict(walk, hasher, value)  # pickle takes a copy
    _state(walk, hasher, vars(value))


def _count(walk: Walk, hasher: Hasher, value: Any) -> None:
    hasher.mark(b"c")
    hasher.text(repr(value))  # to pickle it is deprecated


RULES: dict[type, Rule] = {
    list: _sequence(b"["),
    tuple: _sequence(b"("),
    dict: write_dict,
    set: _set,
    frozenset: _set,
    MappingProxyType: _proxy,
    PickleBuffer: _pickle_buffer,
    itertools.count: _count,
    array.array: _array,
    collections.Counter: _counter,
    object: _bare,
    **dict.fromkeys(_LOCKS, _lock),
}
