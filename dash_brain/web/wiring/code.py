"""Static analysis: which functions of dash_brain and of Dash the code of a function names."""

from __future__ import annotations

import dis
import inspect
import weakref
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise
from types import CodeType
from typing import Any

from dash_brain.memo.fingerprints.names_read import Chain, reads
from dash_brain.memo.fingerprints.origins import is_installed_file


def uses(function: Any, name: str) -> bool:
    """Say whether a function names one of dash_brain's, itself or in a function of the app that it names."""
    return any(
        (getattr(one, "__module__", "") == "dash_brain.web.exchange" and one.__name__ == name)
        or (code is not None and any(name in chain for chain in reads(code)))
        for one, code in _reached(function)
    )


def ids_in_set_props(function: Any) -> list[str]:
    """Return the ids of components whose ``data`` a function, or one it names, sets by ``dash.set_props``."""
    if function not in _known_ids:
        _known_ids[function] = [
            one
            for reached, code in _reached(function)
            if code is not None and not _has_ours(reached, code)
            for one in _first_arguments(code)
        ]
    return _known_ids[function]


#: A cache: each bad token leads to a search for who may have written it.
_known_ids: weakref.WeakKeyDictionary[Any, list[str]] = weakref.WeakKeyDictionary()


def _has_ours(function: Any, code: CodeType) -> bool:
    """Say whether the ``set_props`` of a function is dash_brain's."""
    chains = [chain for chain in reads(code) if chain[-1] == "set_props"]
    homes = [getattr(_found(function, chain), "__module__", "") for chain in chains]
    return "dash_brain.web.callback" in homes or any("dash_brain" in chain for chain in chains)


def _first_arguments(code: CodeType) -> Iterator[str]:
    """Yield the texts with which ``set_props`` is called, where ``data`` is a key too."""
    steps = [one for one in dis.get_instructions(code) if one.opname not in ("CACHE", "PUSH_NULL")]
    known = {part for const in code.co_consts for part in (const if isinstance(const, tuple) else [const])}
    for called, given in pairwise(steps):
        is_text = given.opname == "LOAD_CONST" and isinstance(given.argval, str)
        if called.argval == "set_props" and is_text and "data" in known:
            yield given.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _first_arguments(inner)


def _reached(function: Any) -> Iterator[tuple[Any, CodeType | None]]:
    """Yield a function and those of the app that it names, each with its code if that is the app's."""
    pending, known = list(_wrapped(function)), set()
    while pending:
        one = pending.pop()
        code = getattr(one, "__code__", None)
        if code is None or is_installed_file(code.co_filename):
            yield one, None
        elif code not in known:
            known.add(code)
            yield one, code
            pending += [part for chain in reads(code) for part in _wrapped(_found(one, chain))]


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
    try:
        return getattr(thing, "__func__", thing)  # of a class method
    except RuntimeError:  # flask.request and the like, outside of a request
        return None
