"""What tests of apps need, and the contract of stores for those who write one.

:mod:`dash_brain.testing.plugin` is a plugin of pytest, which finds it by itself. Its fixtures are ``brain``,
``brain_session``, ``brain_app``, ``brain_clock`` and ``brain_store``::

    def test_all_orders_are_counted(brain_app):
        page = brain_app(app)
        assert page.call("count.children", {"orders.data": [1, 2, 3]}) == "3 orders"

The contract: subclass what your store can do, give it a ``store`` fixture, and pytest does the rest::

    class TestMyStore(StoreContract, ScansContract, LocksContract, BoundedContract, SharedContract):
        @pytest.fixture
        def store(self):
            return MyStore("test")

        @pytest.fixture
        def reopen(self):                  # for SharedContract
            return partial(MyStore, "test")

pytest is needed here, and nowhere else in the package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "BoundedContract": "abilities",
    "Clock": "clocks",
    "FailingStore": "chaos",
    "ForgettingStore": "chaos",
    "LocksContract": "abilities",
    "MovableClock": "clocks",
    "Page": "pages",
    "ScansContract": "abilities",
    "SharedContract": "shared",
    "StallingStore": "chaos",
    "StoreContract": "store",
    "plain": "common",
}

__all__ = [
    "BoundedContract",
    "Clock",
    "FailingStore",
    "ForgettingStore",
    "LocksContract",
    "MovableClock",
    "Page",
    "ScansContract",
    "SharedContract",
    "StallingStore",
    "StoreContract",
    "plain",
]


def __getattr__(name: str) -> Any:
    # Every run of pytest loads the plugin in here, also those of projects that use none of this.
    if name not in _HOMES:
        raise AttributeError(f"module 'dash_brain.testing' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"dash_brain.testing.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


if TYPE_CHECKING:
    from dash_brain.testing.abilities import BoundedContract, LocksContract, ScansContract
    from dash_brain.testing.chaos import FailingStore, ForgettingStore, StallingStore
    from dash_brain.testing.clocks import Clock, MovableClock
    from dash_brain.testing.common import plain
    from dash_brain.testing.pages import Page
    from dash_brain.testing.shared import SharedContract
    from dash_brain.testing.store import StoreContract
