"""Names as a command shows them: ids that could be secret are shortened, and nothing controls a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dash_brain.stores.namespaces import DOMAINS

#: The domains whose keys are names that people or programs chose.
NAMED = ("brain", "session-names", "registry")

#: Session ids, object ids and fingerprints. What is left of one tells it from others, and opens nothing.
_ID = re.compile(r"([0-9a-f]{12})[0-9a-f]{20,}")
_SHORTENED = r"\1…"


def short_namespace(namespace: str) -> str:
    """Return a namespace as it is shown.

    Examples
    --------
    >>> short_namespace("session/" + "0123456789abcdef" * 2), short_namespace("brain/orders")
    ('session/0123456789ab…', 'brain/orders')
    """
    return namespace if namespace.startswith("brain/") else _ID.sub(_SHORTENED, namespace)


def short_key(namespace: str, key: str) -> str:
    """Return a key of a namespace as it is shown."""
    return key if namespace.partition("/")[0] in NAMED else _ID.sub(_SHORTENED, key)


def find_namespace(given: str, namespaces: Iterable[str]) -> str | None:
    """Return the namespace that a person means by what was shown; None: there is none.

    Examples
    --------
    >>> find_namespace("orders", ["brain/default", "brain/orders"])
    'brain/orders'
    >>> session = "session/" + "0123456789abcdef" * 2
    >>> find_namespace("session/0123456789ab", ["brain/default", session]) == session
    True
    """
    wanted = whole_namespace(given)
    return next((one for one in namespaces if _is_meant(wanted, one, short_namespace(one))), None)


def whole_namespace(given: str) -> str:
    """Return a namespace with its domain; that of a ``Brain`` is given without.

    Examples
    --------
    >>> whole_namespace("orders"), whole_namespace("memo/brain/orders")
    ('brain/orders', 'memo/brain/orders')
    """
    return given if "/" in given and given.partition("/")[0] in DOMAINS else f"brain/{given}"


def find_key(given: str, namespace: str, keys: Iterable[str]) -> str | None:
    """Return the key of a namespace that a person means by what was shown; None: there is none."""
    return next((one for one in keys if _is_meant(given, one, short_key(namespace, one))), None)


def _is_meant(given: str, name: str, short: str) -> bool:
    return given in (name, short, short.replace("…", "") if short != name else name)


def printable(text: str) -> str:
    """Return text for a terminal: what controls it is written as an escape.

    Examples
    --------
    >>> print(printable("red \\x1b[31m"), printable(""))
    red \\x1b[31m ''
    """
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text) or "''"
