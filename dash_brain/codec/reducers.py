"""The table that tells the C pickler how to take values apart, filled as their types are met.

Importing this module loads no data library. The module that knows a library's types is imported when the
first value of that library is encoded, so the library is loaded already.
"""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Callable, Set
from functools import cache
from importlib import import_module
from inspect import getattr_static
from operator import methodcaller
from types import FunctionType, ModuleType
from typing import Any, TypeVar

#: What a reducer returns: see ``object.__reduce__``.
Reducer = Callable[[Any], "str | tuple[Any, ...]"]

Value = TypeVar("Value")

_Class = type  # `register` has an argument of this name

#: Which module of ``adapters`` takes apart the types of which library.
ADAPTERS = {
    "builtins": "exceptions",
    "numpy": "numpy",
    "pandas": "pandas",
    "plotly": "plotly",
    "polars": "polars",
    "pyarrow": "pyarrow",
}

# What the pickler does for a type that is not in the table; as a C callable in the table it spares one
# failing Python call for each object.
by_itself: Reducer = methodcaller("__reduce_ex__", 5)

#: Types that were registered by :func:`register`.
registered: dict[type, Reducer] = {}

#: Types of Python and of libraries, which live as long as the process, and can certainly be rebuilt.
known: dict[type, Reducer] = {}

#: The pickler never asks how these are taken apart.
_PICKLES_OWN = (type(None), bool, int, float, bytes, str, dict, set, frozenset, list, tuple, bytearray)


class Refused(Exception):
    """Raised by a reducer for a value that cannot be stored exactly; its text says why and what to do."""


class Reducers(dict[type, Reducer]):
    """Reducers by exact type, for one call of the pickler.

    A fresh table for each call costs less than a microsecond, keeps no class alive, and sees what was
    registered with ``copyreg`` since the last call.
    """

    def __missing__(self, cls: type) -> Reducer:
        """Find the reducer of a type that is met for the first time."""
        if issubclass(cls, type):
            # The pickler stores classes by reference only when the table has no entry for their metaclass.
            raise KeyError(cls)
        reducer = registered.get(cls) or copyreg.dispatch_table.get(cls) or known.get(cls)
        self[cls] = reducer = reducer or _adapted(cls) or by_itself
        return reducer


def register(
    type: type[Value],
    encode: Callable[[Value], Any],
    decode: Callable[[Any], Value],
) -> None:
    """Say how values of a type are stored, in place of their own pickling.

    Processes that only read need not register anything: the stored value refers to ``decode`` by its name.

    Parameters
    ----------
    type
        The type itself; each of its subclasses has to be registered too.
    encode
        Called with a value; returns what can be stored, for instance a dict of numpy arrays.
    decode
        Called with what ``encode`` returned; returns an equal value. A function at the top level of a module
        that readers can import.

    Raises
    ------
    TypeError
        For types that Python's pickling never hands out (numbers, strings, dicts, lists, functions, classes
        and the like), and when ``decode`` cannot be found by its name.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from dash_brain.codec import decode, encode, register
    >>> register(Fraction, str, Fraction)
    >>> decode(encode({"share": Fraction(1, 3)}))
    {'share': Fraction(1, 3)}
    """
    if type in (*_PICKLES_OWN, FunctionType) or issubclass(type, _Class):
        raise TypeError(f"{type.__name__} is stored by Python itself: a type of your own can be registered.")
    try:
        pickle.dumps(decode)
    except Exception as error:
        raise TypeError(
            f"decode= of {type.__name__} cannot be found by its name, as readers find it: define it "
            "at the top level of a module."
        ) from error
    known.pop(type, None)  # this code may fail
    registered[type] = lambda value: (decode, (encode(value),))


def added(value: Any, internal: Set[str]) -> dict[str, Any] | None:
    """Return the attributes that were set on an object of a library, besides its ``internal`` ones.

    What an accessor of the class keeps there, to be found sooner, is none.
    """
    named = [name for name in vars(value) if name not in internal and not _is_made(type(value), name)]
    return {name: vars(value)[name] for name in named} or None


def _is_made(cls: type, name: str) -> bool:
    return hasattr(type(getattr_static(cls, name, None)), "__get__")


@cache
def adapter_of(library: str) -> ModuleType | None:
    """Return the adapter of a library, if there is one."""
    name = ADAPTERS.get(library)
    return import_module(f"dash_brain.codec.adapters.{name}") if name else None


def library_of(cls: type) -> str:
    """Return the package that a class comes from."""
    return str(cls.__module__).partition(".")[0]


def _adapted(cls: type) -> Reducer | None:
    """Return the reducer of the library that the type or one of its bases comes from, if there is one."""
    libraries = dict.fromkeys(map(library_of, cls.__mro__))
    adapters = filter(None, map(adapter_of, libraries))
    return next(filter(None, (adapter.reducer(cls) for adapter in adapters)), None)
