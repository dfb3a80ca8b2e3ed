"""Where the values lie: its size, what is free of it, and how much memory the container may have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from dash_brain.cli.doctor import remedies
from dash_brain.cli.doctor.finding import Finding
from dash_brain.common.sizes import shown_size
from dash_brain.stores.mapped.space.capacity import SMALL
from dash_brain.stores.mapped.spill.roots import is_disk, roots
from dash_brain.stores.mapped.system import cgroups, platform
from dash_brain.stores.mapped.system.default_folder import why_not

_OVER_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs", "afs", "lustre"}
#: What is free of a place that is as good as full.
_FULL = 1 << 20
#: Of a container's memory so much is left alone when values are stored.
_RESERVE = 64 << 20


@dataclass(frozen=True)
class Place:
    """The facts of a folder; sizes are in bytes, and 0 where the file system has none, as that of /proc."""

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
    #: What the store there holds.
    used: int = 0
    #: What becomes of a value that has no room there.
    overflow: str = "is refused"

    @property
    def allowed(self) -> int:
        """The bytes that a store may hold here."""
        half = self.size // 2
        if not self.in_memory:  # a disk has other users too
            return min(half, self.used + self.free // 2)
        return min(half, self.limit // 4) if self.limit else half


def place(folder: str, used: int, overflow: str) -> Place:
    """Return the facts of the folder of a store, or of the one above where it is not made yet."""
    above = folder
    while not os.path.isdir(above) and above != os.path.dirname(above):
        above = os.path.dirname(above)
    found, device = os.statvfs(above), os.stat(above).st_dev
    in_memory = platform.is_memory(device)
    unbounded = cgroups.physical_memory() if in_memory else 0  # a tmpfs may have no size
    groups = [group for group in cgroups.groups() if group.limit < cgroups.physical_memory()]
    return Place(
        folder,
        size=found.f_blocks * found.f_frsize or unbounded,
        free=found.f_bavail * found.f_frsize if found.f_blocks else unbounded,
        in_memory=in_memory,
        remote=platform.is_memory(device, _OVER_NETWORK),
        has_inodes=found.f_files == 0 or found.f_favail > 0,
        limit=min((group.limit for group in groups), default=None),
        left=min((group.free(2 * _RESERVE) for group in groups), default=None),
        used=used,
        overflow=overflow,
    )


def spilled() -> str:
    """Return what becomes of a value that has no room in shared memory."""
    return "goes to a disk, where it is slower" if any(map(is_disk, roots())) else "is refused"


def check_default(folder: str) -> Iterator[Finding]:
    """Say whether shared memory can be used, given the folder that takes its place where it cannot."""
    shared = platform.SHARED_MEMORY
    if folder != shared and sys.platform == "linux":  # other systems never had one
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
    if not found.size:
        yield _sizeless(name, found)
    elif found.free < _FULL or not found.has_inodes:
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


def _sizeless(name: str, found: Place) -> Finding:
    says = f"{found.folder} lies on a file system that does not say how large it is, so it may have no room."
    return Finding(name, "warning", says, "Choose a folder on a disk with file:///folder.")


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
    if not found.in_memory:
        return Finding(name, "warning", room, "Choose a folder on a larger disk with file:///folder.")
    if found.limit and found.limit // 4 < found.size // 2:
        says = (
            f"{room} That is a quarter of the memory of this container; what does not fit {found.overflow}."
        )
        return Finding(name, "warning", says, "Give the container more memory.", remedies.MEMORY)
    says = f"{room} What does not fit {found.overflow}."
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
