"""Where an object lies below the root of a store: ``<domain>/<quoted namespace>/<quoted key>``."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from dash_brain.stores.objectfile import Label
from dash_brain.stores.quoting import is_digest, quote

#: The domains in which the objects of a session lie, under its name.
OF_SESSIONS = ("session", "session-names", "session-memo", "session-recipes")

_OF_SESSION = "session"

_DOMAIN = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def is_domain(name: str) -> bool:
    """Say whether ``name`` can be the domain of a namespace."""
    return _DOMAIN.fullmatch(name) is not None


@functools.lru_cache(maxsize=256)
def folder_of(namespace: str) -> str:
    """Return the folder of a namespace.

    Examples
    --------
    >>> folder_of("brain/Sales 2024")
    'brain/%53ales%202024'
    """
    domain, slash, name = namespace.partition("/")
    if not slash or not is_domain(domain):
        raise ValueError('A namespace is "<domain>/<name>", the domain a lowercase word.')
    return f"{domain}/{quote(name)}"


def path_of(namespace: str, key: str) -> str:
    """Return the path of an object."""
    return f"{folder_of(namespace)}/{quote(key)}"


def label_of(namespace: str, key: str, meta: Mapping[str, str] | None) -> bytes:
    """Return the label for an object; it says in full what a path cut short cannot."""
    path = path_of(namespace, key)
    if not is_digest(path):
        return _short_label(tuple(meta.items())) if meta else b""
    _, folder, name = path.split("/")
    return Label(
        meta=meta or {},
        key=key if is_digest(name) else None,
        namespace=namespace if is_digest(folder) else None,
    ).to_bytes()


@functools.lru_cache(maxsize=64)  # few different ones are written again and again: the type of a value
def _short_label(meta: tuple[tuple[str, str], ...]) -> bytes:
    return Label(dict(meta)).to_bytes()


def account_of(path: str) -> str | None:
    """Return the session that a namespace, or anything in it, belongs to; None for none.

    Examples
    --------
    >>> account_of("session-names/ab12/cart"), account_of("brain/default")
    ('ab12', None)
    """
    if not path.startswith(_OF_SESSION):  # most do not, and every put asks
        return None
    domain, name = path.split("/")[:2]
    return name if domain in OF_SESSIONS else None
