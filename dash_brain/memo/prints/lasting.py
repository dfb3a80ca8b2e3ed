"""Whether functions are still what they were, told by looking at the same names again: no hash is needed.

Only for functions that hold and read nothing that can change within, which are most. What was seen is held by
weak references, and plain values as they are.
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

from dash_brain.memo.prints.sink import ATOMS

#: Stands for a name or a variable that has no value.
MISSING = object()

#: What never changes, and counts by value.
_VALUES = {
    *(kind for kind in ATOMS if kind is not bytearray),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, range, slice),
    *(pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath),
}

#: What is the same within for as long as it is the same object, or is looked at by itself.
_STABLE = {*_VALUES, FunctionType, CodeType, ModuleType, BuiltinFunctionType, tuple, frozenset}

#: Returns what was seen, or something else when that is gone.
_Held = Callable[[], Any]


class Lasting:
    """What a walk through functions has seen."""

    def __init__(self, look: Callable[[Any, Any], Any]) -> None:
        self._look = look
        self._seen: list[tuple[_Held, list[_Held], list[tuple[Any, _Held]]]] | None = []

    def meet(self, cls: type) -> None:
        """Take down that an object of a type was walked through, which may be one that can change within."""
        if cls not in _STABLE and not issubclass(cls, type):
            self.end()

    def end(self) -> None:
        """Say that something can change within."""
        self._seen = None

    def note(self, function: Any, found: Sequence[tuple[Any, Any]]) -> None:
        """Take down a function, and what the names that it reads have led to."""
        if self._seen is None:
            return
        try:
            parts = [self._hold(part) for part in _parts(function)]
            names = [(chain, self._hold(one)) for chain, one in found]
        except TypeError:  # it has no weak references
            self.end()
        else:
            self._seen.append((weakref.ref(function), parts, names))

    def is_same(self) -> bool:
        """Say whether another walk would see the same."""
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
    """Say whether a value holds no class of anybody's alive."""
    if type(thing) in (tuple, frozenset):
        return all(map(_is_plain, thing))
    return type(thing) in _VALUES or _is_number_of_numpy(type(thing))


#: Objects of these and of classes made of them count by value, too.
_KINDS = (str, bytes, numbers.Number, datetime.date, datetime.timedelta, datetime.tzinfo, enum.Enum)


def _is_number_of_numpy(cls: type) -> bool:
    return cls.__module__ == "numpy" and any(base.__name__ == "generic" for base in cls.__mro__)


def _parts(function: Any) -> tuple[Any, ...]:
    """Return what is set on a function, and what it closes over."""
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
