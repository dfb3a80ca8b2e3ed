"""How many bytes a store may use where it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

#: Below this a store is too small for large values, and says so.
SMALL = 256_000_000

_MEMBERSHIP = "/proc/self/cgroup"
_CGROUPS = "/sys/fs/cgroup"


def limit(folder: int, used: int = 0, *, in_memory: bool) -> int:
    """Return how many bytes a store in this folder may use, whatever its budget says.

    That is half of the file system, since what readers still hold of removed values is not counted; and of
    memory a quarter of what this container may have, which shared memory is a part of. A disk has other users
    too: of what is free of it now, besides the ``used`` bytes, the store takes half.
    """
    found = os.statvfs(folder)
    limits = [found.f_blocks * found.f_frsize // 2 or physical_memory() // 2]  # a tmpfs may be unbounded
    if in_memory:
        limits += [allowed // 4 for allowed in cgroup_limits()]
    else:
        limits.append(used + found.f_bavail * found.f_frsize // 2)
    return min(limits)


def physical_memory() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def memory_limit() -> int:
    """Return the bytes of memory that this process may have."""
    return min([physical_memory(), *cgroup_limits()])


def cgroup_limits(membership: str = _MEMBERSHIP, cgroups: str = _CGROUPS) -> list[int]:
    """Return the memory limits, in bytes, of the control groups that this process is in."""
    return [nbytes for file in _limit_files(membership, cgroups) if (nbytes := _read_limit(file)) is not None]


def _limit_files(membership: str, cgroups: str) -> Iterator[str]:
    """Yield the files that may hold a limit, for both versions: of our group, and of all groups around it.

    Within a container our own path often does not exist; its group is then the topmost that can be seen.
    """
    with suppress(OSError), open(membership, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if not controllers:
                yield from _upwards(cgroups, path, "memory.max")
                yield from _upwards(f"{cgroups}/unified", path, "memory.max")
            elif "memory" in controllers.split(","):
                yield from _upwards(f"{cgroups}/memory", path, "memory.limit_in_bytes")


def _upwards(top: str, path: str, name: str) -> Iterator[str]:
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield os.path.join(top, *parts[:depth], name)


def _read_limit(file: str) -> int | None:
    try:
        with open(file, encoding="ascii") as content:
            return int(content.read())
    except (OSError, ValueError):  # not there, or "max"
        return None
