"""What every store does."""

from __future__ import annotations

import pytest

from dash_brain.errors import StoreUnavailable
from dash_brain.stores.base import Bounded, Locks, Scans, Store, needs_budget, needs_lock, needs_scan
from dash_brain.testing.abilities import BoundedContract, LocksContract, ScansContract
from dash_brain.testing.comparing import ComparingContract
from dash_brain.testing.lifetimes import LifetimesContract
from dash_brain.testing.storing import StoringContract


class StoreContract(StoringContract, LifetimesContract, ComparingContract):
    """What every store does."""

    def test_every_ability_of_the_store_is_tested(self, store: Store) -> None:
        assert isinstance(store, Scans) == isinstance(self, ScansContract)
        assert isinstance(store, Locks) == isinstance(self, LocksContract)
        assert isinstance(store, Bounded) == isinstance(self, BoundedContract)

    def test_missing_ability_is_a_clear_error(self, store: Store) -> None:
        class Bare:
            pass

        with pytest.raises(StoreUnavailable, match="cannot list"):
            needs_scan(Bare())  # type: ignore[arg-type]
        with pytest.raises(StoreUnavailable, match="cannot lock"):
            needs_lock(Bare())  # type: ignore[arg-type]
        with pytest.raises(StoreUnavailable, match="no budget"):
            needs_budget(Bare())  # type: ignore[arg-type]
