"""What differs between kernels, in flags and small functions."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
import sys
from collections.abc import Collection
from platform import machine

from dash_brain.errors import StoreUnavailable

# getattr: macOS lacks some of them, and Python 3.10 some others. O_CLOEXEC is not among them: Python opens
# every descriptor with it.
NO_ATIME: int = getattr(os, "O_NOATIME", 0)
FOLDER: int = getattr(os, "O_DIRECTORY", 0)
NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
#: A planted pipe would keep us waiting.
NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
TMPFILE: int = getattr(os, "O_TMPFILE", 0)
# Python names it from 3.13 on; it has this value but on a few rare machines, which do without.
_USUAL = sys.platform == "linux" and machine() in ("x86_64", "aarch64", "riscv64", "s390x")
NO_RESERVE: int = getattr(mmap, "MAP_NORESERVE", 0x4000 if _USUAL else 0)

#: Whether this system can work through directory descriptors at all. Windows cannot.
SUPPORTED = os.open in os.supports_dir_fd and hasattr(os, "fchmod")

SHARED_MEMORY = "/dev/shm"

_IN_MEMORY = {"tmpfs", "ramfs", "hugetlbfs"}

#: How a kernel or a file system says that it does not know what it is asked for.
LACKING = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.ENOLCK, errno.ENOSYS}


def map_private(descriptor: int, size: int) -> mmap.mmap:
    """Return the file as private memory: what is written there is copied first, and stays the writer's.

    From Python 3.13 on a map costs no descriptor. Before, ``mmap.mmap`` keeps a duplicate while it lives.
    """
    protection = mmap.PROT_READ | mmap.PROT_WRITE
    flags = mmap.MAP_PRIVATE | NO_RESERVE
    if sys.version_info >= (3, 13):
        return mmap.mmap(descriptor, size, flags, protection, trackfd=False)
    return mmap.mmap(descriptor, size, flags, protection)


def open_healed(path: str, flags: int, folder: int) -> int:
    """Open a file of the store itself; give its owner the rights that a strange umask took away.

    ``StoreUnavailable`` when what lies there is no file.
    """
    flags |= NO_FOLLOW | NO_WAIT
    try:
        file = os.open(path, flags, 0o600, dir_fd=folder)
    except PermissionError:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            os.chmod(path, 0o600, dir_fd=folder)
        file = os.open(path, flags, 0o600, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise StoreUnavailable(f"{path} in the store's folder is no file; remove that folder.")
    except BaseException:
        os.close(file)
        raise
    return file


def make_folder(path: str, parent: int) -> None:
    """Make a folder for its owner only, unless it is there.

    A strange umask may take rights from the owner too: such a folder of ours gets them back.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700, dir_fd=parent)
    found = os.stat(path, dir_fd=parent, follow_symlinks=False)
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if ours and found.st_mode & 0o700 != 0o700 and not found.st_mode & 0o077:
        os.chmod(path, 0o700, dir_fd=parent)


def is_usable_memory(folder: str) -> bool:
    """Say whether a folder is a tmpfs that we may write to."""
    return is_tmpfs(folder) and os.access(folder, os.W_OK | os.X_OK)


def is_memory(device: int, kinds: Collection[str] = _IN_MEMORY) -> bool:
    """Say whether a file system, known by the number of its device, is of these kinds: memory."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            return any(
                line.split(" ")[2] == wanted and line.partition(" - ")[2].split(" ")[0] in kinds
                for line in mounts
            )
    except OSError:
        return False


def is_tmpfs(folder: str) -> bool:
    """Say whether a tmpfs is mounted at a folder."""
    real = os.path.realpath(folder)
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
            kinds = [line.split(" ")[2] for line in mounts if line.split(" ")[1] == real]
    except OSError:
        return False
    return kinds[-1:] == ["tmpfs"]  # the last one mounted lies on top


def remove(path: str, folder: int) -> bool:
    """Unlink a file and say whether there was one."""
    try:
        os.unlink(path, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True
