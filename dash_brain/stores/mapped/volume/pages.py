"""Reading an open object file: small ones into memory, large ones by ``map_private``."""

from __future__ import annotations

import os

from dash_brain.stores.base import Frame
from dash_brain.stores.mapped.volume import objectfile
from dash_brain.stores.mapped.volume.aligned_map import map_private

__all__ = ["READ_UP_TO", "head", "map_private", "read"]

#: Up to here reading is faster than mapping.
READ_UP_TO = 256 << 10
_HEAD_AT_ONCE = 4096


def read(file: int, size: int) -> bytearray:
    """Return the first ``size`` bytes, or those there are."""
    raw = bytearray(size)
    done = os.preadv(file, [raw], 0)
    while done < size:
        got = os.preadv(file, [memoryview(raw)[done:]], done)
        if not got:
            return raw[:done]
        done += got
    return raw


def head(file: int, size: int) -> memoryview:
    """Return header, meta and table of the object, without its value."""
    raw: Frame = os.pread(file, _HEAD_AT_ONCE, 0)
    end = objectfile.head_size(raw, size)
    return memoryview(raw if end <= len(raw) else read(file, end))
