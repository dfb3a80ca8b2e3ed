"""How many bytes a store may use where it lies."""

from __future__ import annotations

import os

from dash_brain.stores import cgroups

#: Below this a store is too small for large values, and says so.
SMALL = 256_000_000


def limit(folder: int, used: int = 0, *, in_memory: bool) -> int:
    """Return how many bytes a store in this folder may use, whatever its budget says.

    That is half of the file system, since what readers still hold of removed values is not counted; and of
    memory a quarter of what this container may have, which shared memory is a part of. A disk has other users
    too: of what is free of it now, besides the ``used`` bytes, the store takes half.
    """
    found = os.statvfs(folder)
    limits = [found.f_blocks * found.f_frsize // 2 or physical_memory() // 2]  # a tmpfs may be unbounded
    if in_memory:
        limits += [allowed // 4 for allowed in cgroups.limits()]
    else:
        limits.append(used + found.f_bavail * found.f_frsize // 2)
    return min(limits)


def physical_memory() -> int:
    """Return the bytes of memory that this machine has."""
    if not hasattr(os, "sysconf"):  # Windows, where Python does not know: what a small laptop has
        return 8 << 30
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def memory_limit() -> int:
    """Return the bytes of memory that this process may have."""
    return min([physical_memory(), *cgroups.limits()])
