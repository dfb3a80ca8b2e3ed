"""A stand-in for a store: what was encoded, as a store hands it back."""

from __future__ import annotations

import mmap
from typing import Any

from dash_brain.codec import decode, encode

ALIGNMENT = 64


def stored(frames: list[Any]) -> list[memoryview]:
    """Return the frames as writable views of one private mapping, each aligned to 64 bytes."""
    views = [memoryview(frame) for frame in frames]
    for view in views:
        assert view.c_contiguous
        assert view.ndim == 1
    starts, end = [], 0
    for view in views:
        starts.append(end)
        end += -(-view.nbytes // ALIGNMENT) * ALIGNMENT
    mapping = memoryview(mmap.mmap(-1, max(end, 1)))
    for start, view in zip(starts, views, strict=True):
        mapping[start : start + view.nbytes] = view.cast("B") if view.nbytes else b""
    return [mapping[start : start + view.nbytes] for start, view in zip(starts, views, strict=True)]


def round_trip(value: Any) -> Any:
    """Return the value as a reader gets it."""
    return decode(stored(encode(value)))


def bytes_in_stream(value: Any) -> int:
    return memoryview(encode(value)[0]).nbytes


def bytes_in_all(value: Any) -> int:
    return sum(memoryview(frame).nbytes for frame in encode(value))
