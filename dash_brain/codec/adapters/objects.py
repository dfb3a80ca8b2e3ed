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
from collections import Counter
from operator import countOf
from typing import Any

import numpy as np

from dash_brain.codec.stable import named

Array = np.ndarray[Any, Any]

#: Fewer cells than this are not worth a closer look.
FEW = 1024

#: A dictionary pays when each value occurs so many times on average.
REPEATS = 8

#: So many cells are looked at before deciding how to store a line.
SAMPLE = 4096


class _Nan:
    """Stands for ``numpy.nan`` in a stream: pickle would make another float of each occurrence."""

    def __reduce__(self) -> tuple[Any, ...]:
        return nan, ()


_NAN = _Nan()


@named("nan")
def nan() -> float:
    """Return the one object ``numpy.nan``."""
    return np.nan


def reduce_objects(array: Array) -> tuple[Any, ...]:
    """Take an array of objects apart, as ``object.__reduce__`` would.

    Cells that can be anything are set after the array exists, so that it may contain itself.
    """
    shape, order = array.shape, "F" if array.flags.fnc else "C"
    dtype: Any = object if array.dtype.metadata is None else array.dtype
    if array.ndim not in (1, 2) or max(shape) < FEW:
        return np.empty, (shape, dtype, order), _plain(array.ravel()), None, None, set_cells
    lines = [_stored(line) for line in _lines(array)]
    if len(lines) == 1 and lines[0][0] == "text" and dtype is object:
        return new_text, (shape, lines[0])
    return np.empty, (shape, dtype, order), lines, None, None, set_lines


def _lines(array: Array) -> Array:
    """Return the array as few long lines; a pandas block has its columns in that direction."""
    if array.ndim == 1:
        return array[np.newaxis]
    return array.T if array.shape[0] > array.shape[1] else array


def _stored(cells: Array) -> tuple[Any, ...]:
    """Return one line in the cheapest way that is exact."""
    addresses = _addresses(cells)
    sample = _sample(cells.size)
    distinct = _distinct(addresses[sample].tolist(), cells.size)
    if distinct * REPEATS <= cells.size:
        return _repeated(cells, addresses, distinct)
    return _text(cells, addresses)


def _sample(size: int) -> Array:
    """Return up to ``SAMPLE`` positions, as if by chance but the same each time.

    Evenly spaced positions would be misled by data that has a rhythm, such as every shop on every day.
    """
    mixed = np.arange(min(size, SAMPLE, max(256, size // 16)), dtype=np.uint64)
    for factor in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9):  # SplitMix64
        mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(30)
    return (mixed % np.uint64(size)).astype(np.intp)


def _distinct(sample: list[Any], size: int) -> int:
    """Estimate how many different values a line of so many cells has.

    From those that the sample holds once and twice (Chao and Lin, 2012): a column half of which is None
    and the other half all different has a sample that repeats, and yet no use for a dictionary.
    """
    times = Counter(sample).values()
    once, twice = countOf(times, 1), countOf(times, 2)
    unseen = size - len(sample)
    weight = 2 * twice + once * len(sample) / unseen if unseen else 0
    return int(len(times) + (once**2 / weight if weight else 0))


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


def _repeated(cells: Array, addresses: Array, expected: int) -> tuple[Any, ...]:
    """Store every object once, and for each cell its number; ``expected`` is about how many there are."""
    import pandas

    # Twice as fast as Arrow's dictionary, as long as the hash table need not grow.
    codes, known = pandas.factorize(addresses, size_hint=2 * expected)
    codes = codes.astype(np.min_scalar_type(known.size - 1))
    # They are numbered as they appear: when the last one does, all have been seen.
    seen = int(np.argmax(codes == known.size - 1)) + 1
    somewhere = np.empty(known.size, dtype=np.intp)
    somewhere[codes[:seen]] = np.arange(seen)
    if known.size < FEW:
        return "repeated", ("plain", _plain(cells[somewhere])), codes
    return "repeated", _text_by_address(cells, somewhere, known), codes


def _text_by_address(cells: Array, somewhere: Array, addresses: Array) -> tuple[Any, ...]:
    """Store the objects at these positions as text, reading them in the order of their memory.

    That takes half the time of reading 100,000 scattered objects. What is stored must not depend on where
    they lie, or equal values would have different fingerprints: the strings are put back in order.
    """
    order = np.argsort(addresses)
    kind, strings, *rest = _text(cells[somewhere[order]], addresses[order])
    if kind == "plain" or isinstance(strings, tuple):
        return _text(cells[somewhere], addresses)
    places = np.empty(order.size, dtype=np.intp)
    places[order] = np.arange(order.size)
    holes = [(mark, order[where].astype(np.uint32)) for mark, where in rest[0]]
    return "text", strings.take(places), holes


def _text(cells: Array, addresses: Array) -> tuple[Any, ...]:
    """Store strings as an Arrow array, None as its null, and where other missing objects lie.

    Anything that is not exactly a ``str`` or such an object makes the line plain: Arrow would take
    subclasses of ``str``, and even bytes, for strings.
    """
    from dash_brain.codec.adapters.strings import arrow_strings  # who only reads has no use for it

    sample = cells[_sample(cells.size)].tolist()
    if not {str, *map(type, _missing())}.issuperset(map(type, sample)):
        return "plain", _plain(cells)
    holes = [(mark, np.flatnonzero(addresses == id(mark))) for mark in _missing()]
    missing = np.concatenate([where for _, where in holes])
    repeat = _distinct(sample, cells.size) * REPEATS <= cells.size
    strings = arrow_strings(cells, missing, repeat=repeat)
    if strings is None:
        return "plain", _plain(cells)
    return "text", strings, [_hole(mark, where) for mark, where in holes[1:] if where.size]


def _hole(mark: Any, where: Array) -> tuple[Any, Array]:
    return _NAN if mark is np.nan else mark, where.astype(np.uint32)


@named("cells")
def set_cells(array: Array, cells: list[Any]) -> None:
    """Fill an array with objects."""
    # Assigning a list would look into cells that are sequences themselves.
    array.__setstate__((1, array.shape, array.dtype, array.flags.fnc, cells))  # type: ignore[arg-type]


@named("lines")
def set_lines(array: Array, lines: list[tuple[Any, ...]]) -> None:
    """Fill the lines of an array."""
    for line, stored in zip(_lines(array), lines, strict=True):
        if stored[0] == "repeated":
            # "clip" writes straight into the line; the default mode takes a copy first.
            np.take(_restored(stored[1]), stored[2], out=line, mode="clip")
        else:
            line[:] = _restored(stored)


@named("text")
def new_text(shape: tuple[int, ...], stored: tuple[Any, ...]) -> Array:
    """Return an array of strings that is one line."""
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
    cells = _strings(strings)
    for mark, where in holes:
        cells[where] = mark
    return cells


def _strings(strings: Any) -> Array:
    """Return an Arrow array of strings, dictionary-coded or not, as an array of ``str``."""
    if isinstance(strings, tuple):
        distinct, codes = strings
        return _taken(np.append(_strings(distinct), np.array([None], dtype=object)), codes)
    array: Array = strings.to_numpy(zero_copy_only=False)
    return array


def _taken(distinct: Array, codes: Array) -> Array:
    """Return the cells that the codes stand for."""
    cells: Array = distinct.take(codes)
    return cells
