"""The base of stores around other stores."""

from __future__ import annotations

from dash_brain.stores import Store, StoreWrapper
from dash_brain.stores.base import Bounded, Locks, Scans


def test_a_wrapper_passes_on_every_verb():
    """A store may have a better way than the general one, as Redis has of listing."""
    contract = [vars(one).items() for one in (Store, Scans, Locks, Bounded)]
    verbs = {
        name
        for members in contract
        for name, member in members
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    }
    assert {"put", "info_many", "scan", "lock", "resize", "counters"} <= verbs
    assert not verbs - vars(StoreWrapper).keys()
