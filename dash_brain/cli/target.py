"""The store that a command works on."""

from __future__ import annotations

import os
import re
from contextlib import suppress

import click

from dash_brain.errors import StoreUnavailable
from dash_brain.metrics.stats import described
from dash_brain.settings import configure, current
from dash_brain.stores import Store
from dash_brain.stores.mapped.store import MappedStore
from dash_brain.stores.mapped.system import platform

_OUTER = re.compile(r"dash_brain-(\d+)")


def opened(url: str | None) -> Store:
    """Return the store of a URL, which was asked whether it can be used; None: the configured one.

    Raises
    ------
    StoreUnavailable
        When it cannot be used, or lies in the memory of a process: this one has nothing to show of that.
    """
    try:
        configure(url)
    except ValueError as error:  # no URL, a key that can be guessed, a wrong variable of the environment
        raise click.UsageError(str(error)) from error
    store = current.use().store
    if store.shared == "process":
        raise StoreUnavailable(
            "memory:// lies in the memory of the app's process, which no other process sees. Use shm:// or "
            "file:///folder for a store that this command can look into."
        )
    return store


def is_there(store: Store) -> bool:
    """Say whether a store was made already; one that a command only looks at is not made by that."""
    return not (isinstance(store, MappedStore) and platform.SUPPORTED) or os.path.isdir(store.place)


def checked_there(store: Store) -> Store:
    """Return the store, or raise ``StoreUnavailable`` when nothing was ever put there."""
    if not is_there(store):
        raise StoreUnavailable(nothing_there(store))
    return store


def other_users(folder: str) -> list[int]:
    """Return the users who have stores of their own in the same folder."""
    found: list[int] = []
    with suppress(OSError):
        found = [int(name[1]) for one in os.listdir(folder) if (name := _OUTER.fullmatch(one))]
    return sorted(set(found) - {os.geteuid()})


def nothing_there(store: Store) -> str:
    """Return the line for a store without values, with the likeliest reason where one is known."""
    line = f"{described(store)} holds nothing."
    others = other_users(store.folder) if isinstance(store, MappedStore) else []
    if others:
        users = ", ".join(map(str, others))
        line += f" A store belongs to its user, and you are user {os.geteuid()}: user {users} has one there."
    return line
