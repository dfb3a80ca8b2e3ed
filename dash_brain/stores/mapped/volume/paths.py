"""Where an object lies below the root of a store: ``<domain>/<quoted namespace>/<quoted key>``.

All of this is asked again and again for the same few names, so answers are kept.
"""

from __future__ import annotations

import functools

from dash_brain.stores.mapped.system.locks import lock_number
from dash_brain.stores.mapped.volume.objectfile import Label
from dash_brain.stores.mapped.volume.quoting import is_digest, quote
from dash_brain.stores.namespaces import split


@functools.lru_cache(maxsize=256)
def folder_of(namespace: str) -> str:
    """Return the folder of a namespace.

    Examples
    --------
    >>> folder_of("brain/Sales 2024")
    'brain/%53ales%202024'
    """
    domain, name = split(namespace)
    return f"{domain}/{quote(name)}"


@functools.lru_cache(maxsize=4096)
def path_of(namespace: str, key: str) -> str:
    """Return the path of an object."""
    return f"{folder_of(namespace)}/{quote(key)}"


@functools.lru_cache(maxsize=256)
def label_of(namespace: str, key: str, meta: tuple[tuple[str, str], ...]) -> bytes:
    """Return the label for an object; it says in full what a path cut short cannot."""
    _, folder, name = path_of(namespace, key).split("/")
    return Label(
        meta=dict(meta),
        key=key if is_digest(name) else None,
        namespace=namespace if is_digest(folder) else None,
    ).to_bytes()


@functools.lru_cache(maxsize=4096)
def draft_of(path: str) -> tuple[int, str]:
    """Return the lock of a path, and the hidden name beside it that only its holder uses."""
    number = lock_number(path)
    folder, slash, _ = path.rpartition("/")
    return number, f"{folder}{slash}.{number:016x}"


def number_of_draft(name: str) -> int | None:
    """Return the lock that guards the draft ``name``, or None for what is no draft."""
    try:
        return int(name[1:], 16) if len(name) == 17 and name[0] == "." else None
    except ValueError:
        return None
