"""What a memoized call is known by: fingerprints of a function and of its arguments, by their whole content.

Different content has different fingerprints. Equal content has equal ones in all processes that run the same
Python and libraries, whatever the order of a set and whichever parts of a value are shared. What has no
fingerprint is refused: a wrong result would be worse than a slow one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from dash_brain.errors import EncodeError
from dash_brain.memo.prints.deep import with_room
from dash_brain.memo.prints.lasting import Lasting
from dash_brain.memo.prints.names import looks
from dash_brain.memo.prints.origins import top_of
from dash_brain.memo.prints.refusal import Refused
from dash_brain.memo.prints.rules import rule_of
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.walk import Walk

_SAY = "Say with key= what identifies a call."


def of_value(value: object) -> str:
    """Return the fingerprint of a value: 256 bits as 64 lowercase hex digits.

    Functions and classes count by what they do, all other values by their content. What is shared in a value
    counts as if it were not.

    Raises
    ------
    EncodeError
        When the value, or a part of it, cannot be told apart from others; the message says which.

    Examples
    --------
    >>> of_value({"b", "a"}) == of_value({"a", "b"})
    True
    >>> of_value(1) == of_value(1.0)
    False
    """
    try:
        return with_room(lambda: Walk(rule_of).fingerprint(lambda walk, sink: walk.put(sink, value))).hex()
    except Refused as refused:
        raise EncodeError(f"value{refused.path}: {refused.what} has no fingerprint.") from None


def of_function(function: Callable[..., Any], *, closure: bool = True) -> str:
    """Return the fingerprint of a function as it is now: what it does, what it holds, and what it calls.

    To it belong its module, name and code, its defaults and attributes, the variables that it closes over,
    and the functions, classes, callable objects and plain values that it finds by name. Those of installed
    distributions count by name and version. Other data that it finds by name counts by that name.

    Parameters
    ----------
    function
        Any callable.
    closure
        Whether the variables that it closes over count. Without them, what has no fingerprint among what it
        calls is left out, instead of being refused.

    Raises
    ------
    EncodeError
        When something that belongs to the function cannot be told apart from others; the message says which.
    """
    return FunctionPrint(function, closure=closure).now()


class FunctionPrint:
    """The fingerprint of a function at any time; as long as all that was seen is the same, nothing is hashed.

    ``function`` and ``closure`` are as for :func:`of_function`.
    """

    def __init__(self, function: Callable[..., Any], *, closure: bool = True) -> None:
        self._function = function
        self._closure = closure
        self._known: tuple[Lasting, str] | None = None

    def now(self) -> str:
        """Return the fingerprint of the function as it is now."""
        known = self._known
        if known is not None and known[0].is_same():
            return known[1]
        known = self._known = self._walked()
        return known[1]

    def _walked(self) -> tuple[Lasting, str]:
        function, home, is_lenient = self._function, _home(self._function), not self._closure

        def walk() -> tuple[Lasting, str]:
            lasting = looks(home)
            walk = Walk(rule_of, home, ignores_cells=is_lenient, is_lenient=is_lenient, lasting=lasting)
            return lasting, walk.fingerprint(lambda walk, sink: walk.put(sink, function)).hex()

        try:
            return with_room(walk)
        except Refused as refused:
            raise EncodeError(
                f"{_name(function)} cannot be memoized: something that it closes over, a default, or a "
                f"helper has no fingerprint: {refused.path.removeprefix('.')}: {refused.what}. {_SAY}"
            ) from None


def of_call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    signature: inspect.Signature | None = None,
) -> str:
    """Return the fingerprint of a function's arguments, however they are passed and in any order of names.

    Raises
    ------
    EncodeError
        When an argument has no fingerprint; the message names it.
    TypeError
        When the function does not take these arguments.

    Examples
    --------
    >>> def total(orders, year=2024): ...
    >>> of_call(total, ([1, 2],), {}) == of_call(total, (), {"year": 2024, "orders": [1, 2]})
    True
    """
    bound = (signature or inspect.signature(function)).bind(*args, **kwargs)
    bound.apply_defaults()

    def write(walk: Walk, sink: Sink) -> None:
        for name, value in bound.arguments.items():
            parameter = bound.signature.parameters[name]
            if type(value) is object and value is parameter.default:
                sink.mark(b"-")  # a sentinel, which says that nothing was passed
                continue
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                value = dict(sorted(value.items()))
            walk.put_at(sink, name, value)  # each in its place, so the names need not count

    try:
        return with_room(lambda: Walk(rule_of, _home(function)).fingerprint(write)).hex()
    except Refused as refused:
        name = refused.path.partition(".")[0].partition("[")[0]
        raise EncodeError(
            f"Argument {name!r} of {_name(function)} has no fingerprint: "
            f"{refused.path}: {refused.what}. {_SAY}"
        ) from None


def _home(function: Callable[..., Any]) -> str:
    return top_of(getattr(function, "__module__", None) or "")


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
