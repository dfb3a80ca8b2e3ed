"""Whether a container has memory left for what is about to be written into it.

Shared memory counts for the memory of the container. When that is used up, the kernel refuses nothing: it
kills any process of the container. So a put looks first, once for each megabyte of values.
"""

from __future__ import annotations

import sys

from dash_brain.stores.mapped.system.cgroups import Group, groups, physical_memory

#: A process looks once for so many bytes that it writes.
_LOOK_AFTER = 1 << 20
#: What is left to all else that a container does: a sixteenth of its memory, and so many bytes at most.
_RESERVE = 64 << 20


class MemoryPressure:
    """What control groups leave to shared memory; more than anybody writes until they are measured."""

    def __init__(self) -> None:
        self._unseen = 0
        self.groups: list[Group] = []

    def measure(self) -> None:
        """Find the groups that have a limit."""
        self.groups = [group for group in groups() if group.limit < physical_memory()]

    def left(self, enough: int) -> int:
        """Return how many bytes may still be written; more than ``enough`` may be too low a figure."""
        return min((_left_in(group, enough) for group in self.groups), default=sys.maxsize)

    def lacks(self, nbytes: int, reserved: int) -> bool:
        """Say whether there is too little for an object, and for all others that are being written."""
        if not self.groups:
            return False
        self._unseen += nbytes
        if self._unseen < _LOOK_AFTER:
            return False
        if self.left(reserved) < reserved:
            return True
        self._unseen = 0
        return False


def _left_in(group: Group, enough: int) -> int:
    reserve = min(group.limit // 16, _RESERVE)
    return group.free(enough + reserve) - reserve
