"""polars frames and series: their Arrow columns, shared and not copied, where Arrow is exact."""

from __future__ import annotations

import io
import pickle
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

from dash_brain.codec.adapters.numpy import set_attributes
from dash_brain.codec.adapters.pyarrow import wasteful
from dash_brain.codec.reducers import Reducer, Refused, added
from dash_brain.codec.stable import named

SURE = (pl.DataFrame, pl.Series)

_FORGETFUL = (pl.DataFrame.__getstate__, pl.Series.__getstate__, pl.LazyFrame.__getstate__)

#: Attributes of polars itself.
INTERNAL = frozenset({"_df", "_s", "_ldf"})


def reducer(cls: type) -> Reducer | None:
    """Return the reducer for frames and series; lazy frames are pickled by polars itself."""
    if not hasattr(pl, "CompatLevel"):  # polars before 1.1 copies all columns for Arrow
        return None
    if cls is pl.DataFrame:
        return _reduce_frame
    if cls is pl.Series:
        return _reduce_series
    return _reduce_subclass if issubclass(cls, (pl.DataFrame, pl.Series, pl.LazyFrame)) else None


def _reduce_frame(frame: pl.DataFrame) -> tuple[Any, ...]:
    reduced = _reduce_columns(frame)
    attributes = added(frame, INTERNAL)
    return (*reduced, attributes, None, None, set_attributes) if attributes else reduced


def _reduce_columns(frame: pl.DataFrame) -> tuple[Any, ...]:
    table = _exact_table(frame)
    if table is not None:
        return frame_from_arrow, (table, _sorted_columns(frame))
    serialized = frame.serialize()
    if not _is_read(serialized, frame):
        raise Refused("polars itself cannot read such a column again. Leave the column out, or cast it")
    return frame_from_polars, (pickle.PickleBuffer(serialized),)


def _is_read(serialized: bytes, frame: pl.DataFrame) -> bool:
    try:
        read = frame_from_polars(serialized)
        return read.schema == frame.schema and read.equals(frame)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False


def _reduce_subclass(value: Any) -> str | tuple[Any, ...]:
    own: Any = type(value).__getstate__
    if own in _FORGETFUL and added(value, INTERNAL):
        raise Refused("polars forgets the attributes that were set on it: a subclass needs a __getstate__")
    reduced: str | tuple[Any, ...] = value.__reduce_ex__(5)
    return reduced


def _reduce_series(series: pl.Series) -> tuple[Any, ...]:
    attributes = added(series, INTERNAL)
    reduced = only_series, (series.to_frame(),)
    return (*reduced, attributes, None, None, set_attributes) if attributes else reduced


def _exact_table(frame: pl.DataFrame) -> pa.Table | None:
    """Return the frame's memory as an Arrow table, or None where Arrow would not give the same frame."""
    if not frame.width or any(map(_has_no_width, frame.dtypes)):
        return None
    try:
        table = _table(frame)
        exact = frame_from_arrow(table.slice(0, 0), []).schema == frame.schema
    # 128-bit integers fail, and so do objects; polars before 1.30 panics over these.
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    return table if exact else None


def _has_no_width(dtype: Any) -> bool:
    """Say whether arrays of zero width, over which polars panics, are part of a type."""
    if isinstance(dtype, pl.Struct):
        return any(_has_no_width(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.Array) and 0 in dtype.shape:
        return True
    return isinstance(dtype, (pl.Array, pl.List)) and _has_no_width(dtype.inner)


def _table(frame: pl.DataFrame) -> pa.Table:
    try:
        table = frame.to_arrow(compat_level=pl.CompatLevel.newest())
    except pa.ArrowException:  # pyarrow before 16 knows no views
        return frame.to_arrow()
    if wasteful(table.get_total_buffer_size(), int(frame.estimated_size())):
        # A slice or a filtered frame shares the text of all rows; the older layout copies its own rows.
        return frame.to_arrow()
    return table


def _sorted_columns(frame: pl.DataFrame) -> list[tuple[int, bool]]:
    """Return position and direction of the columns that are known to be sorted."""
    flags = [(at, column.flags) for at, column in enumerate(frame.get_columns())]
    return [(at, known["SORTED_DESC"]) for at, known in flags if known["SORTED_ASC"] or known["SORTED_DESC"]]


@named("polars_arrow")
def frame_from_arrow(table: pa.Table, ordered: list[tuple[int, bool]]) -> pl.DataFrame:
    """Return the frame that views an Arrow table."""
    frame: Any = pl.from_arrow(table, rechunk=False)
    for at, descending in ordered:
        frame.replace_column(at, frame.to_series(at).set_sorted(descending=descending))
    return frame  # type: ignore[no-any-return]


@named("polars_own")
def frame_from_polars(serialized: Any) -> pl.DataFrame:
    """Return the frame that polars serialized."""
    return pl.DataFrame.deserialize(io.BytesIO(serialized))


@named("polars_series")
def only_series(frame: pl.DataFrame) -> pl.Series:
    """Return the one column of a frame."""
    return frame.to_series(0)
