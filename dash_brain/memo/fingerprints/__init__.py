"""The key of a memoized call: fingerprints of a function and of its arguments, by their whole content.

Different content has different fingerprints. Equal content has equal ones in all processes with the same
Python and libraries: the order of a set and shared parts of a value make no difference. A value without a
fingerprint is refused: a wrong result would be worse than a slow one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from dash_brain.errors import EncodeError
from dash_brain.memo.fingerprints.deep_stack import with_deep_stack
from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.names import looks
from dash_brain.memo.fingerprints.no_fingerprint import NoFingerprint
from dash_brain.memo.fingerprints.origins import top_of
from dash_brain.memo.fingerprints.rules import rule_of
from dash_brain.memo.fingerprints.snapshot import Snapshot
from dash_brain.memo.fingerprints.walk import Walk

_SAY = "Say with key= what identifies a call."


def of_value(value: object) -> str:
    """Return the fingerprint of a value: 256 bits as 64 lowercase hex digits.

    Functions and classes count by their code, all other values by their content. A part that occurs twice
    in a value counts twice.

    Raises
    ------
    EncodeError
        When the value, or a part of it, has no fingerprint; the message names it.

    Examples
    --------
    >>> of_value({"b", "a"}) == of_value({"a", "b"})
    True
    >>> of_value(1) == of_value(1.0)
    False
    """
    try:
        return with_deep_stack(
            lambda: Walk(rule_of).fingerprint(lambda walk, hasher: walk.put(hasher, value))
        ).hex()
    except NoFingerprint as refused:
        raise EncodeError(f"value{refused.path}: {refused.what} has no fingerprint.") from None


def of_function(function: Callable[..., Any], *, closure: bool = True) -> str:
    """Return the fingerprint of a function as it is now: its code, its data, and what it calls.

    The fingerprint covers its module, name and code, its defaults and attributes, the variables that it
    closes over, and the functions, classes, callable objects and plain values that it finds by name. Those of
    installed distributions count by name and version. Other global data counts by its name only.

    Parameters
    ----------
    function
        Any callable.
    closure
        Whether the variables that it closes over count. If not, called functions without a fingerprint
        are left out instead of being refused.

    Raises
    ------
    EncodeError
        When a part of the function has no fingerprint; the message names it.
    """
    return FunctionFingerprint(function, closure=closure).now()


class FunctionFingerprint:
    """The fingerprint of a function at any time. While nothing has changed, nothing is hashed.

    ``function`` and ``closure`` are as for :func:`of_function`.
    """

    def __init__(self, function: Callable[..., Any], *, closure: bool = True) -> None:
        self._function = function
        self._closure = closure
        self._known: tuple[Snapshot, str] | None = None

    def now(self) -> str:
        """Return the fingerprint of the function as it is now."""
        known = self._known
        if known is not None and known[0].is_same():
            return known[1]
        known = self._known = self._walked()
        return known[1]

    def _walked(self) -> tuple[Snapshot, str]:
        function, home, is_lenient = self._function, _home(self._function), not self._closure

        def walk() -> tuple[Snapshot, str]:
            snapshot = looks(home)
            walk = Walk(rule_of, home, ignores_cells=is_lenient, is_lenient=is_lenient, snapshot=snapshot)
            return snapshot, walk.fingerprint(lambda walk, hasher: walk.put(hasher, function)).hex()

        try:
            return with_deep_stack(walk)
        except NoFingerprint as refused:
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
    """Return the fingerprint of a function's arguments, passed by position or by name, in any order.

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

    def write(walk: Walk, hasher: Hasher) -> None:
        for name, value in bound.arguments.items():
            parameter = bound.signature.parameters[name]
            if type(value) is object and value is parameter.default:
                hasher.mark(b"-")  # a sentinel for: nothing was passed
                continue
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                value = dict(sorted(value.items()))
            walk.put_at(hasher, name, value)  # each in the order of parameters, so the names need not count

    try:
        return with_deep_stack(lambda: Walk(rule_of, _home(function)).fingerprint(write)).hex()
    except NoFingerprint as refused:
        name = refused.path.partition(".")[0].partition("[")[0]
        raise EncodeError(
            f"Argument {name!r} of {_name(function)} has no fingerprint: "
            f"{refused.path}: {refused.what}. {_SAY}"
        ) from None


def _home(function: Callable[..., Any]) -> str:
    return top_of(getattr(function, "__module__", None) or "")


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
