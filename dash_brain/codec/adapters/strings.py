"""Strings of Python -> Arrow, in one pass over the objects.

Arrow's own conversion visits each string by itself. Here the strings are joined, some thousands at a time,
so that their memory is read once and while it is near; where each ends is then found in the text. That takes
half the time. The same pass checks the cells: Arrow takes subclasses of ``str`` and bytes for strings.
"""

from __future__ import annotations

from operator import countOf
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: So many cells are joined at a time: their objects fit in the cache of a core.
CHUNK = 8192

#: Stands after each string, while they are one text.
_END = "\0"

#: Where Arrow's offsets of 32 bits end, in bytes.
_MOST = 2**31 - 1


def arrow_strings(cells: Array, missing: Array, *, repeat: bool) -> Any:
    """Return an array of strings as one of Arrow, or as the different ones and the number of each cell's.

    Parameters
    ----------
    cells
        Objects: one line of them.
    missing
        Where cells are that count as missing; they become nulls, or the number -1.
    repeat
        Whether the different strings are stored once, in the order in which they appear.

    Returns
    -------
    pyarrow.Array, tuple or None
        None when another cell is not exactly a ``str``, or is not UTF-8: a lone surrogate.
    """
    if missing.size:
        cells = cells.copy()
        cells[missing] = ""
    try:
        text = _joined(cells)
    except UnicodeEncodeError:
        return None
    if text is None:
        return None
    strings = _ended(text, cells.size, missing)
    if strings is None:
        strings = _converted(cells, missing)
        return _dictionary(strings.dictionary_encode()) if repeat else strings
    if not repeat:
        return _without_ends(strings)
    different, codes = _dictionary(strings.dictionary_encode())
    return _without_ends(different), codes


def _joined(cells: Array) -> bytearray | None:
    """Return all strings as one text, each with its end; None when a cell is not exactly a ``str``."""
    text = bytearray()
    for start in range(0, cells.size, CHUNK):
        part = cells[start : start + CHUNK].tolist()
        if countOf(map(type, part), str) != len(part):
            return None
        text += _END.join(part).encode()
        text += b"\0"
    return text


def _ended(text: bytearray, size: int, missing: Array) -> Any:
    """Return an Arrow array of the strings, each with its end; None when one of them contains an end."""
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == 0)
    if ends.size != size:
        return None
    return _array(np.append(-1, ends) + 1, text, _valid(size, missing))


def _array(offsets: Array, text: Any, valid: Any) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped]

    small = offsets[-1] <= _MOST
    made_by = pa.StringArray if small else pa.LargeStringArray
    offsets = offsets.astype(np.int32 if small else np.int64)
    return made_by.from_buffers(offsets.size - 1, pa.py_buffer(offsets), pa.py_buffer(text), valid)


def _valid(size: int, missing: Array) -> Any:
    """Return Arrow's bitmap of the cells that are there, None when all are."""
    import pyarrow as pa

    if not missing.size:
        return None
    there = np.ones(size, dtype=bool)
    there[missing] = False
    return pa.py_buffer(np.packbits(there, bitorder="little"))


def _without_ends(strings: Any) -> Any:
    """Return an Arrow array of strings that has no offset without the end of each string."""
    if not len(strings):
        return strings
    valid, offsets, text = strings.buffers()
    bits = np.int32 if str(strings.type) == "string" else np.int64
    begins: Array = np.frombuffer(offsets, bits)[: len(strings) + 1]
    whole = memoryview(text)[: begins[-1]].tobytes().translate(None, b"\0")
    return _array(begins - np.arange(begins.size), whole, valid)


def _dictionary(strings: Any) -> tuple[Any, Array]:
    """Return the different strings, and the number of each cell's string; -1 is a missing one."""
    # Not Arrow's own null in the dictionary: its bitmap ends in random bits, and each encoding of equal
    # values would have another fingerprint.
    codes = strings.indices.fill_null(-1).to_numpy()
    return strings.dictionary, codes.astype(np.min_scalar_type(-len(strings.dictionary) - 1))


def _converted(cells: Array, missing: Array) -> Any:
    """Return the strings as Arrow itself converts them."""
    import pyarrow as pa

    listed = cells.tolist()
    for place in missing.tolist():
        listed[place] = None
    return _one_array(pa.array(listed, pa.string()))


def _one_array(strings: Any) -> Any:
    """Return one array where Arrow made several, because its offsets of 32 bits end at 2 GB."""
    import pyarrow as pa

    if isinstance(strings, pa.ChunkedArray):
        return strings.cast(pa.large_string()).combine_chunks()
    return strings
