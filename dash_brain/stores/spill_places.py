"""Where on disk values may be spilled to."""

from __future__ import annotations

import logging
import os
import tempfile

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import platform, spill_owner

_log = logging.getLogger("dash_brain")

#: What this process has warned of.
_warned: set[str] = set()


def places() -> list[str]:
    """Return where a folder may be made, the best place first."""
    return ["/var/tmp", tempfile.gettempdir()]


def best_place() -> str | None:
    """Return the first place that is a disk and ours to use, None if there is none."""
    return next(filter(_is_ours, filter(is_disk, places())), None)


def is_disk(folder: str) -> bool:
    """Say whether files can be made in a folder, and it is no memory itself."""
    try:
        return os.access(folder, os.W_OK | os.X_OK) and not platform.is_memory(os.stat(folder).st_dev)
    except OSError:
        return False


def _is_ours(place: str) -> bool:
    """Say whether our folder can be had there; in a place for all, anybody may have planted one."""
    try:
        os.close(spill_owner.open_outer(place))
    except StoreUnavailable as error:
        warn_once(error)
        return False
    except OSError:
        return False
    return True


def warn_once(error: OSError) -> None:
    """Say in the log, once per process, why nothing is spilled to a place."""
    why = str(error)  # the error itself holds all that is open where it was raised; a log may keep it
    if why not in _warned:
        _warned.add(why)
        _log.warning("No value can be spilled to disk there: %s", why)
