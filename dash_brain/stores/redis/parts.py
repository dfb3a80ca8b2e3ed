"""The parts of a large body, wherever they lie: as many as it takes, all but the last of one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from blake3 import blake3


class Gone(Exception):
    """A part is not there any more."""


class Altered(Exception):
    """A part has another length than it was put with."""


class Parts(Protocol):
    """Where the parts of bodies lie.

    Attributes
    ----------
    size
        Bytes of a part.
    at_once
        How many are fetched at once.
    """

    size: int
    at_once: int

    def receive(self, object_id: str, first: int, views: Sequence[memoryview], before: blake3) -> blake3:
        """Receive the parts of an object from the n-th on into these views, each as long as its part.

        Return the hash of what was received there, and ``before``, which has the parts before them.

        Raises
        ------
        Gone
            When one of them is not there.
        Altered
            When one of them is shorter or longer.
        """
