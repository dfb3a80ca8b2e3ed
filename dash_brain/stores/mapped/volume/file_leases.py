"""Write leases of the kernel: they tell that nobody else has a file open or mapped.

A lease is refused while another open file description of the file lives: by a descriptor, by a map, or in a
forked child. It does not see what shares the asker's own description, so that one has to be fresh. While it
is held, opening the file without waiting fails with ``EAGAIN``; our readers look the name up again then.
"""

from __future__ import annotations

import mmap
import os
import signal

from dash_brain.stores.mapped.system.platform import TMPFILE
from dash_brain.stores.mapped.volume.aligned_map import map_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def take(file: int) -> bool:
    """Take the write lease of an open file, and say whether the kernel gave it."""
    try:
        # By default SIGIO would tell us of who tries to open it, and kills; this one is ignored by default.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError:
        return False
    return True


def is_whole(file: int) -> bool:
    """Say whether the lease is still held, and nobody tried to open the file."""
    return fcntl.fcntl(file, fcntl.F_GETLEASE, 0) == fcntl.F_WRLCK


def free(file: int) -> None:
    """Give the lease back: others may open the file."""
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def are_reliable(folder: int) -> bool:
    """Say whether leases can be had for files in a folder, and are refused while a map lives."""
    try:
        file = os.open(".", TMPFILE | os.O_RDWR, 0o600, dir_fd=folder)
        try:
            os.ftruncate(file, mmap.PAGESIZE)
            reader = os.open(f"/proc/self/fd/{file}", os.O_RDONLY)
            asker = os.open(f"/proc/self/fd/{file}", os.O_RDWR)
        finally:
            os.close(file)
        return _is_refused_while_mapped(reader, asker)
    except (OSError, AttributeError):
        return False


def _is_refused_while_mapped(reader: int, asker: int) -> bool:
    try:
        mapped = map_file(reader, mmap.PAGESIZE, shared=False)
    finally:
        os.close(reader)
    try:
        if mapped is None:
            return False
        refused = not take(asker)
        mapped.close()
        return refused and take(asker)
    finally:
        os.close(asker)
