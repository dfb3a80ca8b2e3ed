"""The log line on how dash_brain is set up: once in a process for each app."""

from __future__ import annotations

import os
from importlib.metadata import version
from platform import python_version

from dash_brain.common.log import inform
from dash_brain.common.sizes import shown_size
from dash_brain.common.version import VERSION
from dash_brain.settings import Settings
from dash_brain.stores.base import Bounded, Store

_said: set[tuple[int, str]] = set()


def say_start(settings: Settings, app_id: str) -> None:
    """Log how dash_brain is set up, unless this process did."""
    this = (os.getpid(), app_id)  # a forked worker is a process of its own
    if this not in _said:
        _said.add(this)
        facts = _facts(settings)
        inform("start", _line(app_id, facts), app_id=app_id, **facts)


def _facts(settings: Settings) -> dict[str, str]:
    """Return the settings that are logged, without any secret."""
    return {
        "app_id_from": "its name and path" if settings.app_id is None else "the configuration",
        "store": shown_store(settings.store),
        "budget": _budget(settings.store),
        "kid": settings.keys.newest.kid,
        "key_from": _key_from(settings),
        "cookie": settings.cookie,
        "principal": "none" if settings.principal is None else "asked",
        "versions": _versions(),
    }


def _key_from(settings: Settings) -> str:
    if settings.secrets:
        return "the configuration"
    return "the server of the app" if settings.masters else "the store"


def _budget(store: Store) -> str:
    return shown_size(store.budget()) if isinstance(store, Bounded) else "none of its own"


def _versions() -> str:
    return (
        f"dash_brain {VERSION}, Dash {version('dash')}, Flask {version('flask')}, Python {python_version()}"
    )


def shown_store(store: Store) -> str:
    """Return which store it is, and where."""
    place = getattr(store, "place", None)
    return type(store).__name__ if place is None else f"{type(store).__name__} in {place}"


def _line(app_id: str, facts: dict[str, str]) -> str:
    return (
        "dash_brain serves app {app_id} (from {app_id_from}): {store}; budget {budget}; key {kid} (from "
        "{key_from}); cookie {cookie}; principal {principal}; {versions}."
    ).format(app_id=app_id, **facts)
