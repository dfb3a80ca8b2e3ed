"""The memory that control groups leave to this process: a container is one, and so is a service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

_MEMBERSHIP = "/proc/self/cgroup"
_CGROUPS = "/sys/fs/cgroup"


class Group(NamedTuple):
    """A control group that bounds memory, and the files that say how much.

    ``cached`` is the part of ``said`` that counts what the kernel can read from disk again.
    """

    limit: int
    usage: str
    said: str
    cached: tuple[str, ...]

    def free(self, enough: int) -> int:
        """Return the bytes that are free of it; what the kernel can let go of counts if it is needed."""
        try:
            free = self.limit - _number_in(self.usage)
            return free if free >= enough else free + self._cached()
        except (OSError, ValueError):  # it is gone, or we are in another one by now
            return self.limit

    def _cached(self) -> int:
        """Return what counts as used and can be had back; nothing where that is not said."""
        with suppress(OSError, ValueError), open(self.said, encoding="ascii") as lines:
            said = dict(line.split(" ") for line in lines)
            return sum(int(said.get(name, 0)) for name in self.cached)
        return 0


class _Version(NamedTuple):
    """The names of the files of one version of control groups."""

    limits: tuple[str, ...]
    usage: str
    cached: tuple[str, ...]


# Beyond memory.high nothing is refused, but all that is done crawls.
_FIRST = _Version(
    ("memory.limit_in_bytes",), "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")
)
_SECOND = _Version(("memory.max", "memory.high"), "memory.current", ("inactive_file", "active_file"))


def groups(membership: str = _MEMBERSHIP, cgroups: str = _CGROUPS) -> list[Group]:
    """Return the control groups with a limit that this process is in: its own, and those around it."""
    return [group for folder, version in _folders(membership, cgroups) for group in _bounded(folder, version)]


def limits(membership: str = _MEMBERSHIP, cgroups: str = _CGROUPS) -> list[int]:
    """Return the memory limits, in bytes, of the control groups that this process is in."""
    return [group.limit for group in groups(membership, cgroups)]


def _folders(membership: str, cgroups: str) -> Iterator[tuple[str, _Version]]:
    """Yield the folder of each group that may have a limit, for both versions.

    Within a container our own path often does not exist; its group is then the topmost that can be seen.
    """
    with suppress(OSError), open(membership, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            _, controllers, path = [*line.rstrip("\n").split(":", 2), "", ""][:3]
            if not path:
                continue  # it says nothing of a group
            if not controllers:
                for top in (cgroups, f"{cgroups}/unified"):
                    yield from ((folder, _SECOND) for folder in _upwards(top, path))
            elif "memory" in controllers.split(","):
                yield from ((folder, _FIRST) for folder in _upwards(f"{cgroups}/memory", path))


def _upwards(top: str, path: str) -> Iterator[str]:
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield os.path.join(top, *parts[:depth])


def _bounded(folder: str, version: _Version) -> Iterator[Group]:
    for name in version.limits:
        with suppress(OSError, ValueError):  # not there, or "max"
            limit = _number_in(os.path.join(folder, name))
            usage, said = os.path.join(folder, version.usage), os.path.join(folder, "memory.stat")
            if limit > 0:  # nothing runs without memory: memory.high is 0 only to slow a group down
                yield Group(limit, usage, said, version.cached)


def _number_in(file: str) -> int:
    with open(file, encoding="ascii") as content:
        return int(content.read())


def physical_memory() -> int:
    """Return the bytes of memory that this machine has."""
    if not hasattr(os, "sysconf"):  # Windows, where Python does not know: what a small laptop has
        return 8 << 30
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def memory_limit() -> int:
    """Return the bytes of memory that this process may have."""
    return min([physical_memory(), *limits()])
