"""Short public-looking names of types."""

from __future__ import annotations


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
    package = str(getattr(cls, "__module__", "")).partition(".")[0]
    return cls.__name__ if package in ("builtins", "") else f"{package}.{cls.__name__}"
