"""The contract that every store passes, for those who write one.

Subclass what your store can do, give it a ``store`` fixture, and pytest does the rest::

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

from dash_brain.testing.abilities import BoundedContract, LocksContract, ScansContract
from dash_brain.testing.common import Clock, plain
from dash_brain.testing.shared import SharedContract
from dash_brain.testing.store import StoreContract

__all__ = [
    "BoundedContract",
    "Clock",
    "LocksContract",
    "ScansContract",
    "SharedContract",
    "StoreContract",
    "plain",
]
