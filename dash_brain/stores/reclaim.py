"""Eviction: one loop for whatever bounds a store, and for every store that evicts.

Which values go first is decided by :func:`dash_brain.stores.namespaces.rank`. The limits of a mapped store
are in ``dash_brain/stores/mapped/space/limits.py``, those of a ``MemoryStore`` in its module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Candidate(NamedTuple):
    """An object that may be evicted. The smallest goes first: by its rank, then the least recently used."""

    rank: int
    used: float
    path: str
    nbytes: int
    #: What its store knows it by.
    entry: Any


class Limit(ABC):
    """What bounds a store: a budget, a quota, the file system, the memory of a container, a disk."""

    #: Bytes that are freed beyond what is needed, so that the next walk over all objects is far away.
    slack = 0

    @abstractmethod
    def missing(self) -> int:
        """Return how many bytes have to go so that the new object fits; none or less: it fits."""

    def batch(self, going: list[Candidate]) -> int:
        """Return how many objects go before the limit is looked at again."""
        return 1

    def eased(self, freed: int) -> bool:
        """Say whether it helps that so many bytes went: not when readers hold them still."""
        return True


def reclaim(limit: Limit, going: list[Candidate], evict: Callable[[Candidate], bool]) -> bool:
    """Evict in order until the limit is kept with its slack, and say whether it helped.

    Nothing is evicted when everything together would not be enough; eviction stops when it frees nothing.

    Parameters
    ----------
    limit
        What has to be kept.
    going
        What may be evicted, in the order in which it goes.
    evict
        Removes one, and says whether it went: not when it was used since it was seen.
    """
    helped = False
    if not going or limit.missing() > total(going):
        return False
    while going and limit.missing() > -limit.slack:
        number = limit.batch(going)
        batch, going = going[:number], going[number:]
        if not limit.eased(total(one for one in batch if evict(one))):
            break
        helped = True
    return helped


def total(going: Iterable[Candidate]) -> int:
    """Return the bytes of what may go."""
    return sum(candidate.nbytes for candidate in going)
