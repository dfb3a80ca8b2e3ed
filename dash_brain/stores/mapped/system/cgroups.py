"""The memory that control groups leave to this process: a container is one, and so is a service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

_MEMBERSHIP = "/proc/self/cgroup"
_CGROUPS = "/sys/fs/cgroup"


#: The files with a limit, in version 2 and in version 1. Beyond memory.high nothing is refused, but all that
#: is done crawls.
_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
_USAGES = ("memory.current", "memory.usage_in_bytes")


class Group(NamedTuple):
    """A control group that bounds memory, and the folder of the files that say how much."""

    limit: int
    folder: str

    def free(self, enough: int) -> int:
        """Return the bytes that are free of it; what the kernel can let go of counts if it is needed."""
        for name in _USAGES:
            with suppress(OSError, ValueError):  # of the other version; or we are in another group by now
                free = self.limit - _number_in(self.folder, name)
                return free if free >= enough else free + self._cached()
        return self.limit

    def _cached(self) -> int:
        """Return what counts as used and can be read from disk again; nothing where that is not said."""
        with suppress(OSError, ValueError), open(f"{self.folder}/memory.stat", encoding="ascii") as lines:
            said = dict(line.split(" ") for line in lines)
            names = ("inactive_file", "active_file")  # "total_" in version 1: with the groups below
            return sum(int(said.get(f"total_{name}", said.get(name, 0))) for name in names)
        return 0


def groups(membership: str = _MEMBERSHIP, cgroups: str = _CGROUPS) -> list[Group]:
    """Return the control groups with a limit that this process is in: its own, and those around it."""
    return [group for folder in _folders(membership, cgroups) for group in _bounded(folder)]


def limits(membership: str = _MEMBERSHIP, cgroups: str = _CGROUPS) -> list[int]:
    """Return the memory limits, in bytes, of the control groups that this process is in."""
    return [group.limit for group in groups(membership, cgroups)]


def _folders(membership: str, cgroups: str) -> Iterator[str]:
    """Yield the folder of each group that may have a limit, for both versions.

    Within a container our own path often does not exist; its group is then the topmost that can be seen.
    """
    with suppress(OSError), open(membership, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            _, controllers, path = [*line.rstrip("\n").split(":", 2), "", ""][:3]
            if path and not controllers:
                yield from _upwards(cgroups, path)
                yield from _upwards(f"{cgroups}/unified", path)
            elif path and "memory" in controllers.split(","):
                yield from _upwards(f"{cgroups}/memory", path)


def _upwards(top: str, path: str) -> Iterator[str]:
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield os.path.join(top, *parts[:depth])


def _bounded(folder: str) -> Iterator[Group]:
    for name in _LIMITS:
        with suppress(OSError, ValueError):  # not there, or "max"
            limit = _number_in(folder, name)
            if limit > 0:  # nothing runs without memory: memory.high is 0 only to slow a group down
                yield Group(limit, folder)


def _number_in(folder: str, name: str) -> int:
    with open(os.path.join(folder, name), encoding="ascii") as content:
        return int(content.read())


def physical_memory() -> int:
    """Return the bytes of memory that this machine has."""
    if not hasattr(os, "sysconf"):  # Windows, where Python does not know: what a small laptop has
        return 8 << 30
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def memory_limit() -> int:
    """Return the bytes of memory that this process may have."""
    return min([physical_memory(), *limits()])
