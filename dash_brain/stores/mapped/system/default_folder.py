"""Where the default store lies, and what the log says once when that is not shared memory."""

from __future__ import annotations

import os
import sys
import tempfile

from dash_brain.common.log import warn_of_store
from dash_brain.stores.mapped.system import platform


def default_folder() -> str:
    """Return where shared memory lies: ``/dev/shm`` if it is a tmpfs we may write to, else a temp folder."""
    shared = platform.SHARED_MEMORY
    if platform.is_usable_memory(shared):
        return shared
    folder = tempfile.gettempdir()
    if sys.platform == "linux":  # other systems never had one
        warn_of_store(
            "default place",
            f"{shared} {why_not(shared)}, so the values of dash_brain lie in {folder}: on a disk they are "
            f"slower. Make {shared} a tmpfs that may be written to (Docker: --shm-size=2g), or choose a "
            "folder with DASH_BRAIN_STORE=file:///folder.",
        )
    return folder


def say_process_only() -> None:
    """Warn that values stay in this process, because the system has no private folders to share."""
    warn_of_store(
        "process only",
        "This system has no private folders to share, so dash_brain keeps values in the memory of this "
        "process (memory://): good for developing. Other processes (workers, background jobs, a feeder) do "
        "not see them, and they are gone when it ends. Serve the app with several workers on Linux.",
    )


def why_not(shared: str) -> str:
    """Return why a folder cannot be used as shared memory."""
    if not os.path.isdir(shared):
        return "does not exist"
    return "is read-only for this process" if platform.is_tmpfs(shared) else "is not a tmpfs"
