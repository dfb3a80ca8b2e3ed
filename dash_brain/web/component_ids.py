"""Ids of components: one canonical form, as text, and one way to compare them.

Dash writes ids as Python does, browsers as JavaScript does. Two ids are the same when their canonical texts
are: ``1``, ``True`` and ``"1"`` are three ids.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from dash_brain.errors import BadId

#: What stands in an id with wildcards, as Dash writes it.
WILDCARDS = frozenset(f'["{name}"]' for name in ("ALL", "ALLSMALLER", "MATCH"))

#: JavaScript writes whole numbers from here on as 1e+21. In smaller ones the digits that tell a number from
#: its neighbours come first, at most 17, and then zeros: 2**60 is 1152921504606847000.
_LARGE = 1e21

#: How the ids of components end that the transforms of dash-extensions add to an app.
_OF_TRANSFORM = re.compile(r"_(start|end)_(client|client_ctx|server|blocked)$|_breaker$")
_REPEATS = "_data_breaker"


def canonical(component_id: object) -> str:
    """Return the canonical text of an id from the app.

    A string is its own text. A dict has its keys sorted and numbers as browsers write them: 1.0
    is 1. A string that begins with a brace is parsed as a dict.

    Raises
    ------
    BadId
        For what is no id of a component.

    Examples
    --------
    >>> canonical("orders"), canonical({"part": 1.0, "kind": "a"})
    ('orders', '{"kind":"a","part":1}')
    """
    if isinstance(component_id, str):
        if not component_id.startswith("{"):
            return component_id
        component_id = parse(component_id)
    if not isinstance(component_id, dict) or not all(isinstance(key, str) for key in component_id):
        raise _bad()
    parts = (f"{json.dumps(key)}:{_part(component_id[key])}" for key in sorted(component_id))
    return "{" + ",".join(parts) + "}"


def canonical_sent(component_id: object) -> str:
    """Return the canonical text of an id from a client, which has to be in the form that browsers send.

    Raises
    ------
    BadId
        For every other form: a dict written as text, ``1.0`` in place of ``1``, lists, wildcards.

    Examples
    --------
    >>> canonical_sent({"part": 1})
    '{"part":1}'
    """
    if isinstance(component_id, str) and not component_id.startswith("{"):
        return component_id
    if not isinstance(component_id, dict) or not all(map(_is_plain, component_id.values())):
        raise _bad()
    return canonical(component_id)


def parse(text: str) -> Any:
    """Parse an id in a request or a layout: text that begins with a brace is a dict.

    Raises
    ------
    BadId
        When it begins with a brace and is no JSON.
    """
    try:
        return json.loads(text) if text.startswith("{") else text
    except (ValueError, RecursionError):
        raise _bad() from None


def matches(name: str, declared: str) -> bool:
    """Say whether an id is the declared one or fits its wildcards; both are canonical texts.

    Examples
    --------
    >>> matches('{"part":7}', '{"part":["MATCH"]}'), matches("part", "part"), matches("part", '["MATCH"]')
    (True, True, False)
    """
    if name == declared:
        return True
    if not (name.startswith("{") and declared.startswith("{")):
        return False
    ours, theirs = _declared_parts(declared), _parts(name)
    return ours.keys() == theirs.keys() and all(
        part in WILDCARDS or part == theirs[key] for key, part in ours.items()
    )


def is_of_transform(component_id: object) -> bool:
    """Say whether a transform of dash-extensions has added a component to the app."""
    return isinstance(component_id, str) and _OF_TRANSFORM.search(component_id) is not None


def repeated(component_id: object) -> str | None:
    """Return the id of the component whose ``data`` a ``CycleBreaker`` of dash-extensions repeats.

    Examples
    --------
    >>> repeated("orders_data_breaker"), repeated("orders_value_breaker")
    ('orders', None)
    """
    is_one = isinstance(component_id, str) and component_id.endswith(_REPEATS)
    return str(component_id).removesuffix(_REPEATS) if is_one else None


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float)) and _part(value) == json.dumps(value)


def _part(value: Any) -> str:
    """Return one value of a dict id as text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = _number(value)
    if isinstance(value, (str, bool, int, float)):
        return json.dumps(value)
    name = value[0] if isinstance(value, list) and len(value) == 1 else getattr(value, "value", None)
    if f'["{name}"]' not in WILDCARDS:
        raise _bad()
    return f'["{name}"]'


def _number(value: float) -> float:
    """Return a number as a browser has it."""
    try:
        number = float(value)
    except OverflowError:
        raise _bad() from None
    if number - number != 0:  # infinite, or no number
        raise _bad()
    return int(Decimal(repr(number))) if number.is_integer() and abs(number) < _LARGE else number


def _parts(name: str) -> dict[str, str]:
    """Return key -> value as text."""
    return {key: json.dumps(value, separators=(",", ":")) for key, value in json.loads(name).items()}


_declared_parts = lru_cache(maxsize=1000)(_parts)  # ids from the app, never from clients


def _bad() -> BadId:
    return BadId(
        "This is no id of a component: a string that does not begin with a brace, or a dict of strings, "
        "numbers and bools by strings."
    )
