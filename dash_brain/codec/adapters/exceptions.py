"""Exceptions: rebuilt from what they hold, without calling an ``__init__`` of their own.

Python's own pickling calls the class with ``args``, which is what was passed to ``Exception.__init__``: a
class whose ``__init__`` takes other arguments could be stored and never be read.
"""

from __future__ import annotations

import copyreg
from types import FunctionType
from typing import Any

from dash_brain.codec.reducers import Reducer
from dash_brain.codec.stable import named

#: What an exception raises when it is rebuilt is not known before: each is tried.
SURE: tuple[type, ...] = ()


_WITH_NAME = (AttributeError, NameError)


def reducer(cls: Any) -> Reducer | None:
    """Return the reducer of an exception with an ``__init__`` of its own and the pickling of its base."""
    if not issubclass(cls, BaseException):
        return None
    if not isinstance(cls.__init__, FunctionType) and not issubclass(cls, _WITH_NAME):
        return None
    inherited = cls.__reduce__ is _base(cls).__reduce__ and cls.__reduce_ex__ is object.__reduce_ex__
    return _reduce_exception if inherited else None


def _base(cls: Any) -> Any:
    """Return the exception of Python that a class is made of."""
    return next(base for base in cls.__mro__ if not isinstance(base.__init__, FunctionType))


def _reduce_exception(error: Any) -> str | tuple[Any, ...]:
    cls, args, *rest = error.__reduce__()
    state = dict(rest[0] or {}) if rest else {}
    # What lies in slots Python's own pickling forgets, and that of 3.11 the name as well.
    named = ("name",) if isinstance(error, _WITH_NAME) else ()
    for attribute in (*_slots(cls), *named):
        if hasattr(error, attribute):
            state[attribute] = getattr(error, attribute)
    return new_exception, (cls, args), state or None


def _slots(cls: type) -> list[str]:
    names: list[str] = copyreg._slotnames(cls)  # type: ignore[attr-defined]
    return names


@named("exception")
def new_exception(cls: Any, args: tuple[Any, ...]) -> BaseException:
    """Return an exception that holds these arguments."""
    error: BaseException = cls.__new__(cls, *args)
    _base(cls).__init__(error, *args)
    return error
