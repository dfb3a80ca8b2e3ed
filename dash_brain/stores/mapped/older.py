"""What earlier releases left: a store of an older format goes when nobody has it open."""

from __future__ import annotations

import contextlib
import os
import re
import shutil

from dash_brain.stores.mapped.spill.places import remove_folders_of
from dash_brain.stores.mapped.system.locks import open_kernel_locks
from dash_brain.stores.mapped.volume.folder import FORMAT, Volume
from dash_brain.stores.mapped.volume.private import enter_ours, outer_folder


def remove_older(volume: Volume) -> None:
    """Remove what lies beside a store, under its name, in an older format, unless somebody uses it."""
    for name in os.listdir(outer_folder(volume.folder)):
        older = re.fullmatch(re.escape(volume.name) + r"(?:@(\d+))?", name)
        if older and int(older[1] or 0) < FORMAT:
            with contextlib.suppress(OSError):
                _remove_unless_used(volume.folder, name)


def _remove_unless_used(place: str, name: str) -> None:
    """Remove a store whose processes hold none of its locks; each holds one for as long as it has it open."""
    folder = enter_ours(place, name)
    try:
        os.stat("key", dir_fd=folder)  # else it is none of ours
        if open_kernel_locks(folder).unused():
            remove_folders_of(folder)
            shutil.rmtree(os.path.join(outer_folder(place), name))
    finally:
        os.close(folder)
