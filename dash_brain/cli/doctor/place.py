"""Where the values lie: its size, what is free of it, and what the kernel and the container add to that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from platform import release

from dash_brain.cli.doctor import remedies
from dash_brain.cli.doctor.finding import Finding
from dash_brain.common.sizes import shown_size
from dash_brain.stores.mapped.space.capacity import SMALL
from dash_brain.stores.mapped.spill.roots import is_disk, roots
from dash_brain.stores.mapped.system import cgroups, platform
from dash_brain.stores.mapped.system.default_folder import why_not

_OVER_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs", "afs", "lustre"}
_SHMEM_ENABLED = "/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#: What is free of a place that is as good as full.
_FULL = 1 << 20
#: Of a container's memory so much is left alone when values are stored.
_RESERVE = 64 << 20


@dataclass(frozen=True)
class Place:
    """The facts of a folder; sizes are in bytes."""

    folder: str
    size: int
    free: int
    #: Whether it lies in memory, and over a network.
    in_memory: bool
    remote: bool
    #: Whether the file system can take another file.
    has_inodes: bool = True
    #: The least memory limit of the containers that this process is in, and what is free of it; None: none.
    limit: int | None = None
    left: int | None = None
    #: Whether what has no room can go to a disk.
    spills: bool = True

    @property
    def allowed(self) -> int:
        """The bytes that a store may hold here."""
        half = self.size // 2
        return min(half, self.limit // 4) if self.in_memory and self.limit else half


def place(folder: str) -> Place:
    """Return the facts of the folder of a store, or of the one above where it is not made yet."""
    above = folder
    while not os.path.isdir(above) and above != os.path.dirname(above):
        above = os.path.dirname(above)
    found, device = os.statvfs(above), os.stat(above).st_dev
    groups = [group for group in cgroups.groups() if group.limit < cgroups.physical_memory()]
    return Place(
        folder,
        size=found.f_blocks * found.f_frsize or cgroups.physical_memory(),
        free=found.f_bavail * found.f_frsize if found.f_blocks else cgroups.physical_memory(),
        in_memory=platform.is_memory(device),
        remote=platform.is_memory(device, _OVER_NETWORK),
        has_inodes=found.f_files == 0 or found.f_favail > 0,
        limit=min((group.limit for group in groups), default=None),
        left=min((group.free(2 * _RESERVE) for group in groups), default=None),
        spills=any(map(is_disk, roots())),
    )


def check_default(folder: str) -> Iterator[Finding]:
    """Say whether shared memory can be used, given the folder that takes its place where it cannot."""
    shared = platform.SHARED_MEMORY
    if folder != shared and platform.SUPPORTED:
        yield Finding(
            "shared memory",
            "warning",
            f"{shared} {why_not(shared)}, so values lie in {folder}, where they are slower.",
            f"Make {shared} a tmpfs that may be written to, or choose a folder with DASH_BRAIN_STORE=file:///folder.",
            remedies.SHARED_MEMORY,
        )


def check_room(found: Place) -> Iterator[Finding]:
    """Say how much a store may hold in its place, and whether anything is free there."""
    name = "shared memory" if found.in_memory else "disk"
    room = (
        f"{found.folder} has {shown_size(found.size)}, {shown_size(found.free)} of them free; "
        f"a store there may hold {shown_size(found.allowed)}."
    )
    if found.free < _FULL or not found.has_inodes:
        yield _full(name, found)
    elif found.allowed < SMALL:
        yield _small(name, found, room)
    else:
        yield Finding(name, "ok", room)
    if found.remote:
        yield Finding(
            name,
            "warning",
            f"{found.folder} lies on a file system of another machine: maps and locks are slow there.",
            "Choose a folder on a local disk, or share values between machines by redis://.",
        )


def _full(name: str, found: Place) -> Finding:
    what = "memory" if found.in_memory else "disk"
    lacks = f"only {shown_size(found.free)} are" if found.has_inodes else "no inode (place for a file) is"
    return Finding(
        name,
        "error",
        f"The {what} at {found.folder} is full: {lacks} free of {shown_size(found.size)}.",
        "Remove what fills it (`dash-brain clear` removes values), or give the store a larger place.",
        remedies.SHARED_MEMORY if found.in_memory else {},
    )


def _small(name: str, found: Place, room: str) -> Finding:
    rest = "goes to a disk, where it is slower" if found.spills else "is refused"
    if not found.in_memory:
        return Finding(name, "warning", room, "Choose a folder on a larger disk with file:///folder.")
    if found.limit and found.limit // 4 < found.size // 2:
        says = f"{room} That is a quarter of the memory of this container; what does not fit {rest}."
        return Finding(name, "warning", says, "Give the container more memory.", remedies.MEMORY)
    says = f"{room} What does not fit {rest}."
    return Finding(name, "warning", says, "Give the container more shared memory.", remedies.SHARED_MEMORY)


def check_container(found: Place) -> Iterator[Finding]:
    """Say how much memory the container may have, of which shared memory is a part."""
    if found.limit is None or found.left is None:
        yield Finding("container", "ok", "No control group limits the memory of this process.")
        return
    left = shown_size(max(found.left, 0))
    says = f"The container may have {shown_size(found.limit)} of memory; {left} of that are free."
    if found.in_memory and found.left < min(found.limit // 16, _RESERVE):
        cure = (
            "Give the container more memory, let its processes take less, or use a disk with file:///folder."
        )
        yield Finding("container", "error", f"{says} No value is stored beyond that.", cure, remedies.MEMORY)
    else:
        yield Finding("container", "ok", says)


def check_pages(found: Place) -> Iterator[Finding]:
    """Say whether large values in shared memory get pages of 2 MB."""
    if not found.in_memory:
        return
    lacking = lacks_large_pages(release(), _policy(), _mounted_huge(found.folder))
    if lacking is None:
        yield Finding("huge pages", "ok", "Values of 4 MB and more can have pages of 2 MB.")
    else:
        cure = f"As root on the host: mount -o remount,huge=within_size {found.folder}"
        yield Finding("huge pages", "note", f"Large values are slower than need be: {lacking}.", cure)


def lacks_large_pages(kernel: str, policy: str, mounted_huge: bool) -> str | None:
    """Return why files in shared memory get no pages of 2 MB; None: they do.

    Examples
    --------
    >>> lacks_large_pages("6.1.0", "never", False), lacks_large_pages("5.15.0-91", "never", True)
    (None, None)
    >>> lacks_large_pages("5.15.0-91", "never", False)
    'Linux 5.15.0-91 gives pages of 2 MB only where the mount says so, before Linux 6.1'
    """
    if policy == "deny":
        return f"{_SHMEM_ENABLED} forbids pages of 2 MB (deny)"
    if not policy:
        return "this kernel has no pages of 2 MB for shared memory"
    numbers = tuple(int(part) if part.isdigit() else 0 for part in kernel.split("-")[0].split(".")[:2])
    if numbers < (6, 1) and not mounted_huge:
        return f"Linux {kernel} gives pages of 2 MB only where the mount says so, before Linux 6.1"
    return None


def _policy() -> str:
    """Return the kernel's policy of huge pages in shared memory; empty: it has none."""
    with suppress(OSError), open(_SHMEM_ENABLED, encoding="ascii") as content:
        return content.read().partition("[")[2].partition("]")[0]
    return ""


def _mounted_huge(folder: str) -> bool:
    with suppress(OSError), open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        options = [line.split(" ")[3] for line in mounts if line.split(" ")[1] == folder]
        return bool(options) and "huge=" in options[-1] and "huge=never" not in options[-1]
    return False
