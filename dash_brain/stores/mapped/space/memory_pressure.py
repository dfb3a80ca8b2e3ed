"""Memory pressure: whether the container has memory left for a value.

Shared memory counts as memory of the container. When that is used up, the kernel does not refuse the write:
it kills a process of the container. So puts check first, once for each megabyte that the process writes.
"""

from __future__ import annotations

import sys

from dash_brain.stores.mapped.system.cgroups import Group, groups, physical_memory

#: Bytes that a process writes between two checks.
_LOOK_AFTER = 1 << 20
#: The reserve for all else in the container: a sixteenth of its memory, and at most so many bytes.
_RESERVE = 64 << 20


class MemoryPressure:
    """The memory that control groups leave to shared memory; no bound until they are measured."""

    def __init__(self) -> None:
        self._unseen = 0
        self.groups: list[Group] = []

    def measure(self) -> None:
        """Find the groups that have a limit."""
        self.groups = [group for group in groups() if group.limit < physical_memory()]

    def left(self, enough: int) -> int:
        """Return how many bytes may still be written; from ``enough`` on there may be more."""
        return min((_left_in(group, enough) for group in self.groups), default=sys.maxsize)

    def lacks(self, nbytes: int, reserved: int) -> bool:
        """Say whether there is too little for the ``reserved`` bytes, an object of ``nbytes`` among them."""
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
