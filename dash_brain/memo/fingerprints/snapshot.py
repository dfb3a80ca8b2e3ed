"""What a fingerprint was computed from: while all of it is the same object as before, nothing is hashed.

Only for functions that hold and read no mutable object, which are most. Objects are held by weak references,
plain values themselves.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import numbers
import pathlib
import re
import uuid
import weakref
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from dash_brain.memo.fingerprints.hasher import ATOMS

#: Stands for the value of a name or variable that has none.
MISSING = object()

#: Immutable types, which count by value.
_VALUES = {
    *(kind for kind in ATOMS if kind is not bytearray),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, range, slice),
    *(pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath),
}

#: Types whose objects are immutable, or are compared part by part.
_STABLE = {*_VALUES, FunctionType, CodeType, ModuleType, BuiltinFunctionType, tuple, frozenset}

#: Returns the object that was seen, or None when it is gone.
_Held = Callable[[], Any]


class Snapshot:
    """All objects that a walk through functions has seen."""

    def __init__(self, look: Callable[[Any, Any], Any]) -> None:
        self._look = look
        self._seen: list[tuple[_Held, list[_Held], list[tuple[Any, _Held]]]] | None = []

    def meet(self, cls: type) -> None:
        """Note that the walk met an object of a type, which may be mutable."""
        if cls not in _STABLE and not issubclass(cls, type):
            self.end()

    def end(self) -> None:
        """Note that the walk met something mutable: the snapshot is never the same again."""
        self._seen = None

    def note(self, function: Any, found: Sequence[tuple[Any, Any]]) -> None:
        """Note a function, and the objects that the names in its code stand for."""
        if self._seen is None:
            return
        try:
            parts = [self._hold(part) for part in _parts(function)]
            names = [(chain, self._hold(one)) for chain, one in found]
        except TypeError:  # an object without weak references
            self.end()
        else:
            self._seen.append((weakref.ref(function), parts, names))

    def is_same(self) -> bool:
        """Say whether another walk would see the same objects."""
        return self._seen is not None and all(map(self._is_as_it_was, self._seen))

    def _is_as_it_was(self, seen: tuple[_Held, list[_Held], list[tuple[Any, _Held]]]) -> bool:
        reference, held, names = seen
        function = reference()
        parts = () if function is None else _parts(function)
        if len(parts) != len(held) or any(one() is not part for one, part in zip(held, parts, strict=True)):
            return False
        look = self._look
        return all(held() is look(function, chain) for chain, held in names)

    @staticmethod
    def _hold(thing: Any) -> _Held:
        if thing is MISSING or _is_plain(thing):
            return lambda: thing
        return weakref.ref(thing)


def is_value(thing: Any) -> bool:
    """Say whether something is a plain value, or a tuple of such."""
    if isinstance(thing, (tuple, frozenset)):
        return all(map(is_value, thing))
    return type(thing) in _VALUES or isinstance(thing, _KINDS) or _is_number_of_numpy(type(thing))


def _is_plain(thing: Any) -> bool:
    """Say whether a value can be held without keeping a class of the app alive."""
    if type(thing) in (tuple, frozenset):
        return all(map(_is_plain, thing))
    return type(thing) in _VALUES or _is_number_of_numpy(type(thing))


#: Objects of these classes and of subclasses count by value, too.
_KINDS = (str, bytes, numbers.Number, datetime.date, datetime.timedelta, datetime.tzinfo, enum.Enum)


def _is_number_of_numpy(cls: type) -> bool:
    return cls.__module__ == "numpy" and any(base.__name__ == "generic" for base in cls.__mro__)


def _parts(function: Any) -> tuple[Any, ...]:
    """Return the parts of a function: code, defaults, attributes and closed-over variables."""
    parts = [function.__code__, function.__defaults__]
    for named in (function.__kwdefaults__, function.__dict__):
        if named:
            parts += [*named, *named.values()]
    for cell in function.__closure__ or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:  # not assigned yet
            parts.append(MISSING)
    return tuple(parts)
