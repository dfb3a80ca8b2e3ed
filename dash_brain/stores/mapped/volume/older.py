"""What earlier releases left: a store of an older format goes when nobody has it open."""

from __future__ import annotations

import contextlib
import os
import re
import shutil

from dash_brain.stores.mapped.locks import open_kernel_locks
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.volume.folder import FORMAT, Volume
from dash_brain.stores.mapped.volume.private import enter_private


def remove_older(volume: Volume) -> None:
    """Remove what lies beside a store, under its name, in an older format, unless somebody uses it."""
    for name in os.listdir(volume.outer):
        older = re.fullmatch(re.escape(volume.name) + r"(?:@(\d+))?", name)
        if older and int(older[1] or 0) < FORMAT:
            with contextlib.suppress(OSError):
                _remove_unless_used(volume.outer, name)


def _remove_unless_used(outer: str, name: str) -> None:
    """Remove a store whose processes hold none of its locks; each holds one for as long as it has it open."""
    parent = os.open(outer, os.O_RDONLY | platform.FOLDER)
    try:
        folder = enter_private(parent, name, os.path.join(outer, name))
        try:
            os.stat("key", dir_fd=folder)  # else it is none of ours
            unused = open_kernel_locks(folder).unused()
        finally:
            os.close(folder)
        if unused:
            shutil.rmtree(os.path.join(outer, name))
    finally:
        os.close(parent)
