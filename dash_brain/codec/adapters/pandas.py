"""pandas: parts that pandas puts together again by validating them, which costs more than reading a frame.

They were validated when they were made, and their bytes are authentic. So they are put together as pandas
itself does it inside. All private names of pandas that dash_brain uses stand in this file. They were read in
pandas 2.2.3 and 3.1.1.
"""

from __future__ import annotations

import copyreg
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from dash_brain.codec.reducers import Reducer, Refused, added, library_of
from dash_brain.codec.stable import named

try:
    from pandas._libs.internals import BlockPlacement  # type: ignore[import-not-found]
    from pandas.core.generic import NDFrame
    from pandas.core.internals.blocks import Block, new_block  # type: ignore[import-not-found]
    from pandas.core.internals.managers import (  # type: ignore[import-not-found]
        BlockManager,
        SingleBlockManager,
    )

    _set_manager: Any = NDFrame.__init__
    _new_index = pd.Index._simple_new  # type: ignore[attr-defined]
    _new_range = pd.RangeIndex._simple_new  # type: ignore[attr-defined]
    _parts_of_arrays = pd.array([0])._data, pd.array([0])._mask, pd.Categorical._ndarray  # type: ignore[attr-defined]
    _ = pd.arrays.ArrowExtensionArray.__annotations__["_pa_array"]
    _Strings = pd.arrays.ArrowStringArray
    _parts_of_index = pd.Index([0])._data, pd.Index([0])._name, pd.RangeIndex(0)._name  # type: ignore[attr-defined]
except (ImportError, AttributeError, KeyError) as error:
    raise Refused(
        f"pandas {pd.__version__} lacks something private that this version of dash_brain needs ({error}). "
        "Install a newer dash_brain, or pandas 3.1"
    ) from error

SURE = (
    pd.DataFrame,
    pd.Series,
    pd.Index,
    ExtensionArray,
    ExtensionDtype,
    Block,
    BlockManager,
    SingleBlockManager,
    pd.Timestamp,
    pd.Timedelta,
    pd.Period,
    pd.Interval,
    pd.offsets.BaseOffset,
    type(pd.NaT),
    type(pd.NA),
)


#: Attributes of pandas itself; what else was set on a frame or an index pandas' own pickling forgets.
OF_FRAMES = frozenset({*pd.DataFrame._internal_names, "_attrs", "_typ"})  # type: ignore[attr-defined]
OF_INDEXES = frozenset(
    {
        *("_data", "_name", "_cache", "_id", "_references", "_freq", "_range"),
        *("_levels", "_codes", "_names", "sortorder"),
    }
)


#: So many bytes make an array of strings that is worth keeping: names of columns.
_SHORT = 1000


def reducer(cls: type) -> Reducer | None:
    """Return the reducer of one of these parts, or of a frame, series or index."""
    if cls in _REDUCERS:
        return _REDUCERS[cls]
    if issubclass(cls, (pd.DataFrame, pd.Series)):
        inherited = cls.__reduce__ is object.__reduce__ and cls.__reduce_ex__ is object.__reduce_ex__
        return _reduce_frame if inherited else None
    return _reduce_special_index if issubclass(cls, pd.Index) and library_of(cls) == "pandas" else None


def _reduce_frame(frame: Any) -> str | tuple[Any, ...]:
    if type(frame) is pd.DataFrame and _is_bare(frame):
        return copyreg.__newobj__, (pd.DataFrame,), _parts(frame._mgr), None, None, set_frame  # type: ignore[attr-defined]
    reduced: str | tuple[Any, ...] = frame.__reduce_ex__(5)
    if vars(frame).keys() - OF_FRAMES:
        reduced[2].update(added(frame, OF_FRAMES.union(frame._metadata)) or {})  # type: ignore[union-attr]
    return reduced


def _is_bare(frame: Any) -> bool:
    """Say whether a frame is nothing but its blocks and axes."""
    return not frame.attrs and frame.flags.allows_duplicate_labels and not vars(frame).keys() - OF_FRAMES


def _parts(manager: Any) -> tuple[Any, ...]:
    _, (blocks, axes) = manager.__reduce__()
    return tuple((block.values, block.__reduce__()[1][1]) for block in blocks), axes


@named("frame")
def set_frame(frame: Any, parts: tuple[Any, ...]) -> None:
    """Give a frame that was just made its blocks, of values and their places, and its axes."""
    blocks, axes = parts
    made = []
    for values, places in blocks:  # in a comprehension each would be a call
        made.append(new_block(values, BlockPlacement(places), ndim=2))
    _set_manager(frame, BlockManager(tuple(made), axes, verify_integrity=False))


def _reduce_special_index(index: Any) -> tuple[Any, ...]:
    made_by, arguments, *_ = index.__reduce__()
    return made_by, arguments, added(index, OF_INDEXES)


def _reduce_index(index: Any) -> tuple[Any, ...]:
    if vars(index).keys() - OF_INDEXES:
        return new_index, (index._data, index._name), added(index, OF_INDEXES)
    return new_index, (index._data, index._name)


@named("index")
def new_index(values: Any, name: Any) -> Any:
    """Return the index of these values."""
    return _new_index(values, name)


def _reduce_range(index: Any) -> tuple[Any, ...]:
    parts = index.start, index.stop, index.step, index._name
    if vars(index).keys() - OF_INDEXES:
        return new_range, parts, added(index, OF_INDEXES)
    return new_range, parts


@named("range_index")
def new_range(start: int, stop: int, step: int, name: Any) -> Any:
    """Return the index of a range."""
    return _new_range(range(start, stop, step), name)


def _reduce_manager(manager: Any) -> tuple[Any, ...]:
    _, (blocks, axes) = manager.__reduce__()
    return new_manager, (blocks, axes)


@named("blocks")
def new_manager(blocks: Any, axes: Any) -> Any:
    """Return what holds the columns of a frame."""
    return BlockManager(blocks, axes, verify_integrity=False)


def _reduce_strings(array: Any) -> str | tuple[Any, ...]:
    cells = array._pa_array
    if array.dtype.na_value is np.nan and 0 < cells.nbytes <= _SHORT and not cells.null_count:
        return new_strings, _buffers(cells)
    reduced: str | tuple[Any, ...] = array.__reduce_ex__(5)
    return reduced


def _buffers(cells: Any) -> tuple[Any, ...]:
    """Return number, offsets and text of strings, without what lies around them in memory."""
    import pyarrow as pa  # type: ignore[import-untyped]

    _, offsets, text = pa.concat_arrays(cells.chunks).buffers()
    ends = np.frombuffer(offsets, np.int64)[: len(cells) + 1]
    return len(cells), ends.tobytes(), bytes(memoryview(text)[: ends[-1]]) if text else b""


@named("strings")
def new_strings(*buffers: Any) -> Any:
    """Return an array of a few strings, such as the names of columns."""
    array = _Strings.__new__(_Strings)
    vars(array).update(vars(_kept_strings(*buffers)))
    if hasattr(array, "_cache"):  # since pandas 3.1
        array._cache = {}
    return array


@lru_cache
def _kept_strings(count: int, offsets: bytes, text: bytes) -> Any:
    """Return such an array that stays as it is: its cells are Arrow's, which never change."""
    import pyarrow as pa

    cells = pa.LargeStringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))
    dtype: Any = pd.StringDtype("pyarrow", np.nan)
    return dtype.__from_arrow__(cells)


class NumpyArray(NamedTuple):
    """Numbers in an array of pandas: also those that stand for categories and times."""

    cells: Any
    frequency: Any


class MaskedArrays(NamedTuple):
    """Cells of an array of pandas, and which of them are missing: their bytes are undefined."""

    cells: Any
    mask: Any


def arrow_array(array: Any) -> Any | None:
    """Return the Arrow array that has the cells of an array of pandas, None when another kind has them."""
    return getattr(array, "_pa_array", None)


def numpy_array(array: Any) -> NumpyArray | None:
    """Return the numpy array that has the cells of an array of pandas, None when another kind has them."""
    if not hasattr(array, "_ndarray"):
        return None
    return NumpyArray(array._ndarray, getattr(array, "_freq", None))


def masked_arrays(array: Any) -> MaskedArrays | None:
    """Return the cells of an array of pandas that has a mask for them, None for another kind."""
    if not (hasattr(array, "_mask") and hasattr(array, "_data")):
        return None
    return MaskedArrays(array._data, array._mask)


_REDUCERS: dict[type, Reducer] = {
    pd.Index: _reduce_index,
    pd.RangeIndex: _reduce_range,
    BlockManager: _reduce_manager,
    _Strings: _reduce_strings,
}
