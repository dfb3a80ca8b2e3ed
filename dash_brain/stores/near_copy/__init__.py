"""Copies of what lies in a store beyond a network, on the host that reads them.

The far store says which object lies at a place; what that object holds never changes. So a copy of it needs
no invalidation: each read asks which object is there now, in one round trip, and maps the copy.
"""

from __future__ import annotations

from dash_brain.stores.near_copy.copies import Copies, CopyStore
from dash_brain.stores.near_copy.opening import open_far
from dash_brain.stores.near_copy.store import SMALL, NearCopy

__all__ = ["SMALL", "Copies", "CopyStore", "NearCopy", "open_far"]
