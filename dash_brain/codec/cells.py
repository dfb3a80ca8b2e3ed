"""numpy arrays of objects: columns of strings and of repeated objects are stored as buffers.

Each line of a two-dimensional array (a column of a frame) is stored in the cheapest way that gives the
same cells back:

- *repeated*: the same few objects occur again and again (categories, booleans, None). They are stored
  once, and each cell as a number.
- *text*: every cell is exactly a ``str`` or one of the objects that stand for "missing". The strings are
  stored as an Arrow array, as a dictionary where that is smaller.
- *plain*: a list for pickle, for anything else: lone surrogates, ``numpy.str_``, mixed cells.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: Fewer cells than this are not worth a closer look.
FEW = 1024

#: So many cells are looked at before deciding how to store a line.
SAMPLE = 4096


class _Nan:
    """Stands for ``numpy.nan`` in a stream: pickle would make another float of each occurrence."""

    def __reduce__(self) -> tuple[Any, ...]:
        return nan, ()


_NAN = _Nan()


def nan() -> float:
    """Return the one object ``numpy.nan``. Stored streams refer to this function."""
    return np.nan


def reduce_objects(array: Array) -> tuple[Any, ...]:
    """Take an array of objects apart, as ``object.__reduce__`` would.

    Cells that can be anything are set after the array exists, so that it may contain itself.
    """
    shape, order = array.shape, "F" if array.flags.fnc else "C"
    if array.ndim not in (1, 2) or max(shape) < FEW:
        return np.empty, (shape, object, order), _plain(array.ravel()), None, None, set_cells
    lines = [_stored(line) for line in _lines(array)]
    if len(lines) == 1 and lines[0][0] == "text":
        return new_text, (shape, lines[0])
    return np.empty, (shape, object, order), lines, None, None, set_lines


def _lines(array: Array) -> Array:
    """Return the array as few long lines; a pandas block has its columns in that direction."""
    if array.ndim == 1:
        return array[np.newaxis]
    return array.T if array.shape[0] > array.shape[1] else array


def _stored(cells: Array) -> tuple[Any, ...]:
    """Return one line in the cheapest way that is exact."""
    addresses = _addresses(cells)
    sample = _sample(cells.size)
    if _repeat(addresses[sample].tolist(), cells.size):
        return _repeated(cells, addresses)
    # A few types tell cheaply whether all of them are worth checking.
    if {str} < {str, *map(type, cells[sample].tolist())}.difference(map(type, _missing())):
        return "plain", _plain(cells)
    return _text(cells, addresses)


def _sample(size: int) -> Array:
    """Return up to ``SAMPLE`` different positions, spread so that no rhythm of the data misleads."""
    return (np.arange(min(size, SAMPLE), dtype=np.int64) * 2_654_435_761) % size


def _repeat(sample: list[Any], size: int) -> bool:
    """Tell whether a line is worth a dictionary: each of its values seems to occur four times or more."""
    share = len(sample) / size
    return len(set(sample)) <= size / 4 * (1 - (1 - share) ** 4)


class _Addresses:
    """The memory of an array of objects as the addresses of the objects."""

    def __init__(self, cells: Array) -> None:
        self.kept_alive = cells
        self.__array_interface__ = {
            **cells.__array_interface__,
            "typestr": np.dtype(np.intp).str,
            "descr": [("", np.dtype(np.intp).str)],
        }


def _addresses(cells: Array) -> Array:
    return np.asarray(_Addresses(cells))


def _missing() -> list[Any]:
    """Return the objects that stand for a missing cell, as far as their library is loaded."""
    pandas = sys.modules.get("pandas")
    return [None, np.nan, *((pandas.NA, pandas.NaT) if pandas else ())]


def _plain(cells: Array) -> list[Any]:
    """Return the cells as a list for pickle."""
    if cells.size and (_addresses(cells) == id(np.nan)).any():
        return [_NAN if cell is np.nan else cell for cell in cells.tolist()]
    listed: list[Any] = cells.tolist()
    return listed


def _repeated(cells: Array, addresses: Array) -> tuple[Any, ...]:
    """Store every object once, and for each cell its number in order of appearance."""
    import pyarrow as pa  # type: ignore[import-untyped]

    codes = pa.array(addresses).dictionary_encode().indices.to_numpy()
    count = int(codes.max()) + 1
    # Up to here each object has appeared; backwards, so that nothing but the first appearance remains.
    seen = int(np.argmax(codes == count - 1)) + 1
    first = np.empty(count, dtype=np.intp)
    first[codes[:seen][::-1]] = np.arange(seen - 1, -1, -1)
    distinct = cells[first]
    stored = _text(distinct, _addresses(distinct)) if count >= FEW else ("plain", _plain(distinct))
    return "repeated", stored, codes.astype(np.min_scalar_type(count - 1))


def _text(cells: Array, addresses: Array) -> tuple[Any, ...]:
    """Store strings as one Arrow array, and apart from them where which missing object lies."""
    holes = [(mark, np.flatnonzero(addresses == id(mark))) for mark in _missing()]
    holes = [(mark, where.astype(np.uint32)) for mark, where in holes if where.size]
    kept = (cells[_filled(cells.size, holes)] if holes else cells).tolist()
    strings = _arrow_strings(kept)
    if strings is None:
        return "plain", _plain(cells)
    return "text", strings, [(_NAN if mark is np.nan else mark, where) for mark, where in holes]


def _filled(size: int, holes: list[tuple[Any, Array]]) -> Array:
    """Return a mask of the cells that no hole takes."""
    filled = np.ones(size, dtype=bool)
    for _, where in holes:
        filled[where] = False
    return filled


def _arrow_strings(cells: list[Any]) -> Any:
    """Return the cells as an Arrow array, or None when they are not all exactly ``str`` or not UTF-8."""
    import pyarrow as pa

    # Arrow would take subclasses of str and even bytes.
    if set(map(type, cells)) != {str}:
        return None
    try:
        strings = _one_array(pa.array(cells, pa.string()))
    except UnicodeEncodeError:  # a lone surrogate
        return None
    repeat = _repeat([cells[at] for at in _sample(len(cells)).tolist()], len(cells))
    return strings.dictionary_encode() if repeat else strings


def _one_array(strings: Any) -> Any:
    """Return one array where Arrow made several, because its offsets of 32 bits end at 2 GB."""
    import pyarrow as pa

    if isinstance(strings, pa.ChunkedArray):
        return strings.cast(pa.large_string()).combine_chunks()
    return strings


def set_cells(array: Array, cells: list[Any]) -> None:
    """Fill an array with objects. Stored streams refer to this function."""
    # Assigning a list would look into cells that are sequences themselves.
    array.__setstate__((1, array.shape, array.dtype, array.flags.fnc, cells))  # type: ignore[arg-type]


def set_lines(array: Array, lines: list[tuple[Any, ...]]) -> None:
    """Fill the lines of an array. Stored streams refer to this function."""
    for line, stored in zip(_lines(array), lines, strict=True):
        line[:] = _restored(stored)


def new_text(shape: tuple[int, ...], stored: tuple[Any, ...]) -> Array:
    """Return an array of strings that is one line. Stored streams refer to this function."""
    text: Array = _restored(stored).reshape(shape)
    return text


def _restored(stored: tuple[Any, ...]) -> Array:
    """Return one line as an array of objects."""
    kind, content, *rest = stored
    if kind == "plain":
        cells = np.empty(len(content), dtype=object)
        set_cells(cells, content)
        return cells
    return _taken(_restored(content), rest[0]) if kind == "repeated" else _restored_text(content, rest[0])


def _restored_text(strings: Any, holes: list[tuple[Any, Array]]) -> Array:
    text = _strings(strings)
    if not holes:
        return text
    size = text.size + sum(where.size for _, where in holes)
    cells = np.empty(size, dtype=object)
    cells[_filled(size, holes)] = text
    for mark, where in holes:
        cells[where] = mark
    return cells


def _strings(strings: Any) -> Array:
    """Return an Arrow array of strings, dictionary-coded or not, as an array of ``str``."""
    if hasattr(strings, "dictionary"):
        codes = strings.indices.to_numpy()
        return _taken(strings.dictionary.to_numpy(zero_copy_only=False), codes)
    array: Array = strings.to_numpy(zero_copy_only=False)
    return array


def _taken(distinct: Array, codes: Array) -> Array:
    """Return the cells that the codes stand for."""
    cells: Array = distinct.take(codes)
    return cells
