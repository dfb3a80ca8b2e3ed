"""Names as a command shows them: ids that could be secret are shortened, and nothing controls a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import click

from dash_brain.stores.namespaces import DOMAINS

#: The domains whose keys are names that people or programs chose.
NAMED = ("brain", "session-names", "registry")

# What is left of an id tells it from others, and opens nothing.
#: In namespaces: session ids, app ids and fingerprints.
_ID = re.compile(r"([0-9a-f]{12})[0-9a-f]{20,}")
#: In keys: whatever could be an id of anything, such as that of a session whose data lies in a cache.
_ANY_ID = re.compile(r"([\w-]{12})[\w-]{12,}")
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
    """Return a key of a namespace as it is shown.

    Examples
    --------
    >>> short_key("cache/flask", "session:dGhpcyBpcyBhIHNlY3JldA-x_y"), short_key("brain/shop", "2024" * 8)
    ('session:dGhpcyBpcyBh…', '20242024202420242024202420242024')
    """
    return key if namespace.partition("/")[0] in NAMED else _ANY_ID.sub(_SHORTENED, key)


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
    return _the_one(wanted, {one: short_namespace(one) for one in namespaces})


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
    return _the_one(given, {one: short_key(namespace, one) for one in keys})


def _the_one(given: str, shown: Mapping[str, str]) -> str | None:
    """Return the name that is meant, of those that are shown like this; the ``…`` may be missing."""
    if given in shown:
        return given
    meant = [
        name for name, short in shown.items() if name != short and given in (short, short.replace("…", ""))
    ]
    if len(meant) > 1:
        raise click.ClickException(
            f"{len(meant)} names are shown as {given!r}; there is no telling which is meant."
        )
    return meant[0] if meant else None


def printable(text: str) -> str:
    """Return text for a terminal: what controls it is written as an escape.

    Examples
    --------
    >>> print(printable("red \\x1b[31m"), printable(""))
    red \\x1b[31m ''
    """
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text) or "''"
