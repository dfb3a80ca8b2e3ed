"""How much torture and property tests do: enough for every commit, or with ``make soak`` for a release."""

from __future__ import annotations

import os
from typing import TypeVar

Size = TypeVar("Size")

SOAK = os.environ.get("DASH_BRAIN_SOAK") == "1"


def size(usual: Size, soak: Size) -> Size:
    """Return what this run does: a number of rounds or seconds, or names of what is looked at."""
    return soak if SOAK else usual
