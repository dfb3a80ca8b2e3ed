"""Static analysis: whether the code of a function names one of dash_brain's functions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from dash_brain.memo.fingerprints.names_read import Chain, reads
from dash_brain.memo.fingerprints.origins import is_installed_file


def uses(function: Any, name: str) -> bool:
    """Say whether a function names one of dash_brain's, itself or in a function of the app that it names."""
    pending, known = list(_wrapped(function)), set()
    while pending:
        one = pending.pop()
        if getattr(one, "__module__", "") == "dash_brain.web.exchange" and one.__name__ == name:
            return True
        code = getattr(one, "__code__", None)
        if code is not None and code not in known and not is_installed_file(code.co_filename):
            known.add(code)
            if any(name in chain for chain in reads(code)):
                return True
            pending += [part for chain in reads(code) for part in _wrapped(_found(one, chain))]
    return False


def _wrapped(function: Any) -> Iterator[Any]:
    """Yield a function and those that it wraps."""
    while isinstance(function, partial) or inspect.isroutine(function):
        yield function
        function = function.func if isinstance(function, partial) else getattr(function, "__wrapped__", None)


def _found(function: Any, chain: Chain) -> Any:
    """Return the object that a chain of names stands for; None if only a call would tell."""
    kind, first, *attributes = chain
    thing = None
    if kind == "global":
        thing = function.__globals__.get(first)
    elif kind == "cell" and first in function.__code__.co_freevars:
        with suppress(ValueError):  # not assigned yet
            thing = function.__closure__[function.__code__.co_freevars.index(first)].cell_contents
    for name in attributes:
        thing = inspect.getattr_static(thing, name, None)
    return getattr(thing, "__func__", thing)  # of a class method
