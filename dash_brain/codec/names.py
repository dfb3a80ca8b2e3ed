"""Short public-looking names of types."""

from __future__ import annotations

import functools


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


def class_name(cls: type) -> str:
    """Return ``package.Class``, or ``Class`` for a builtin."""
    return short_name(str(getattr(cls, "__module__", "")), cls.__name__)


@functools.lru_cache(maxsize=1024)
def short_name(module: str, name: str) -> str:
    """Return the same for a class of that name in a module; classes themselves need not be hashable."""
    package = module.partition(".")[0]
    return name if package in ("builtins", "") else f"{package}.{name}"
