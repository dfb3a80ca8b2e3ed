"""How much torture and property tests do: enough for every commit, or with ``make soak`` for a release."""

from __future__ import annotations

import os
from typing import TypeVar

Number = TypeVar("Number", int, float)

SOAK = os.environ.get("DASH_BRAIN_SOAK") == "1"


def size(usual: Number, soak: Number) -> Number:
    """Return the number for this run: of rounds, of seconds, of whatever is counted."""
    return soak if SOAK else usual
