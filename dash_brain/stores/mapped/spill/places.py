"""Where on disk values may be spilled to, and the names of the folders there.

What such a folder holds means nothing without its store, which lies in memory and ends with a restart of the
machine. So the name begins with the boot that it was made in, and a sweep removes folders of other boots.
Containers may share a disk and differ in that: what a sweep of its own store touched within a day stays. A
store that is removed on purpose takes its folders along.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time

from dash_brain.common.log import warn_of_store
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.volume.private import enter_ours, outer_folder

#: The link in a store that says the name and the places of its folders.
RECORD = "spill"
_NAME = re.compile("spill-[0-9a-f]{32}")
#: Seconds after which a folder of another boot is lost that no sweep touched.
_UNUSED = 86_400.0


def places() -> list[str]:
    """Return where a folder may be made, the best place first."""
    return ["/var/tmp", tempfile.gettempdir()]


def is_disk(folder: str) -> bool:
    """Say whether files can be made in a folder, and it is no memory itself."""
    try:
        return os.access(folder, os.W_OK | os.X_OK) and not platform.is_memory(os.stat(folder).st_dev)
    except OSError:
        return False


def warn_once(place: str, error: OSError) -> None:
    """Say in the log, once per process, why nothing is spilled to a place."""
    warn_of_store((place, error.errno), f"No value can be spilled to disk in {place}: {error}")


def new_record() -> str:
    """Return what a store says of its folders: a name with the boot and 96 random bits, and their places."""
    return ":".join([f"spill-{boot()}{os.urandom(12).hex()}", *places()])


def recorded(store: int) -> tuple[str, list[str]]:
    """Return the name of an open store's folders and their places; empty when nothing was spilled yet."""
    try:
        name, *where = os.readlink(RECORD, dir_fd=store).split(":")
    except OSError:
        return "", []
    return (name, where) if _NAME.fullmatch(name) else ("", [])


def boot() -> str:
    """Return eight hex digits that tell this boot of the machine from others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as content:
            return content.read(8)
    except OSError:
        return "0" * 8


def remove_lost(own: str) -> None:
    """Remove folders of other boots that are not in use, and not those of the ``own`` name."""
    for place in places():
        outer = outer_folder(place)
        with contextlib.suppress(OSError):
            os.close(enter_ours(place, "."))  # which raises unless nobody else can change it
            for name in filter(_NAME.fullmatch, os.listdir(outer)):
                folder = os.path.join(outer, name)
                lost = name != own and not name.startswith(f"spill-{boot()}")
                if lost and time.time() - os.lstat(folder).st_mtime > _UNUSED:
                    shutil.rmtree(folder, ignore_errors=True)


def remove_folders_of(store: int) -> None:
    """Remove what an open store spilled; call it before the store itself is removed."""
    name, where = recorded(store)
    for place in where:
        shutil.rmtree(os.path.join(outer_folder(place), name), ignore_errors=True)
