"""``dash.Patch`` applied on the server, to the value of a ServerStore.

Dash applies a Patch in the browser, which has a token only. What its operations mean is the same here, for
dicts and lists; an item that is neither can be replaced as a whole.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from copy import copy
from typing import Any

from dash import Patch

from dash_brain.errors import WiringError

_REFUSED = (
    "A Patch cannot change the value of ServerStore {store!r}: its operation {operation} finds {what}. "
    "A Patch changes dicts, lists and numbers. For anything else take the value as State, change that "
    "argument, which is private to the call, and return it."
)

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.truediv,
}


def patched(value: Any, patch: Patch, store: object) -> Any:
    """Return a value as a Patch changes it; the value itself is left as it is.

    Parameters
    ----------
    value
        What the store holds; None: nothing.
    patch
        The operations. What they add is not changed either, not even by later ones of the same Patch.
    store
        The id of the component, for errors.

    Raises
    ------
    WiringError
        When an operation cannot be applied to what it finds.

    Examples
    --------
    >>> patch = Patch()
    >>> patch["rows"].append(3)
    >>> patched({"rows": [1, 2]}, patch, "orders")
    {'rows': [1, 2, 3]}
    """
    return applied(value, patch.to_plotly_json()["operations"], store)


def applied(value: Any, operations: list[dict[str, Any]], store: object) -> Any:
    """Do as :func:`patched` with the operations of a Patch as they are sent."""
    copies = _Copies()
    for step in operations:
        try:
            value = _changed(value, step["location"], step, copies)
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            what = str(error) if isinstance(error, _NoContainer) else "no item that it fits"
            raise WiringError(_REFUSED.format(store=store, operation=step["operation"], what=what)) from error
    return value


class _NoContainer(TypeError):
    """An operation is for what is neither a dict nor a list."""


class _Copies:
    """The containers that were copied for one Patch: each one once."""

    def __init__(self) -> None:
        self._own: dict[int, Any] = {}

    def of(self, container: Any) -> Any:
        """Return a shallow copy of a dict or list, which the Patch may change."""
        if id(container) in self._own:
            return container
        if not isinstance(container, (dict, list)):
            raise _NoContainer(f"a {type(container).__name__}")
        own = copy(container)
        self._own[id(own)] = own
        return own


def _changed(value: Any, location: list[Any], step: dict[str, Any], copies: _Copies) -> Any:
    """Return a value with one operation applied to what lies at a location in it."""
    operation = step["operation"]
    if value is None and (operation == "Merge" or (operation == "Assign" and isinstance(location[0], str))):
        value = copies.of({})
    if not location:
        return _result(value, operation, step["params"], copies)
    key, rest = location[0], location[1:]
    own = copies.of(value)
    if not rest and operation == "Assign":
        own[key] = step["params"]["value"]
    elif not rest and operation == "Delete":
        own.pop(key, *([None] if isinstance(own, dict) else []))
    else:
        # As in the browser, dicts on the way are made.
        before = own.get(key) if isinstance(own, dict) else own[key]
        own[key] = _changed(before, rest, step, copies)
    return own


def _result(value: Any, operation: str, params: dict[str, Any], copies: _Copies) -> Any:
    """Return what becomes of the value that an operation is for."""
    if operation in _ARITHMETIC:
        return _ARITHMETIC[operation](value, params["value"])
    own = copies.of(value)
    _IN_PLACE[operation](own, params)
    return own


def _remove(items: list[Any], params: dict[str, Any]) -> None:
    items[:] = [one for one in items if one != params["value"]]


_IN_PLACE: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "Append": lambda items, params: items.append(params["value"]),
    "Clear": lambda items, _: items.clear(),
    "Extend": lambda items, params: items.extend(params["value"]),
    "Insert": lambda items, params: items.insert(params["index"], params["value"]),
    "Merge": lambda items, params: items.update(params["value"]),
    "Prepend": lambda items, params: items.insert(0, params["value"]),
    "Remove": _remove,
    "Reverse": lambda items, _: items.reverse(),
}
