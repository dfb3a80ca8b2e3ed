"""Short public-looking names of types."""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import Any


def type_name(value: object) -> str:
    """Return the name of the value's type as its users know it: package and class.

    Parameters
    ----------
    value
        Any value; it is not printed.

    Examples
    --------
    >>> import pandas
    >>> type_name(pandas.DataFrame())
    'pandas.DataFrame'
    >>> type_name(3)
    'int'
    """
    return class_name(type(value))


def summary(value: Any) -> dict[str, str]:
    """Return what may be said of a value without showing it: its type, and its rows and columns, if any.

    Examples
    --------
    >>> import pandas
    >>> summary(pandas.DataFrame({"a": [1, 2, 3]}))
    {'type': 'pandas.DataFrame', 'rows': '3', 'columns': '1'}
    >>> summary([1, 2]), summary(3)
    ({'type': 'list', 'rows': '2'}, {'type': 'int'})
    """
    found, shape = {"type": class_name(type(value))}, tuple[Any, ...]()
    with suppress(Exception):  # of a class with a shape that is something else
        shape = (len(value),) if type(value) in _ROWS else tuple(value.shape)
    for name, size in zip(("rows", "columns"), shape, strict=False):
        if type(size) is int:
            found[name] = str(size)
    return found


#: Types whose items are their rows.
_ROWS = {list, tuple, dict, set, frozenset}


def class_name(cls: type) -> str:
    """Return ``package.Class``, or ``Class`` for a builtin."""
    return short_name(str(getattr(cls, "__module__", "")), cls.__name__)


@functools.lru_cache(maxsize=1024)
def short_name(module: str, name: str) -> str:
    """Return the same for a class of that name in a module; classes themselves need not be hashable."""
    package = module.partition(".")[0]
    return name if package in ("builtins", "") else f"{package}.{name}"
