"""Rules for polars: columns count by their types and cells, whatever chunks these lie in."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

from dash_brain.codec.adapters.polars import INTERNAL
from dash_brain.codec.reducers import added
from dash_brain.memo.prints.arrow import write_cells
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.walk import Rule, Walk

_ROWS = 1 << 16


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of polars."""
    if cls is pl.DataFrame:
        return _frame
    return _series if cls is pl.Series else None


def _frame(walk: Walk, sink: Sink, frame: Any) -> None:
    sink.mark(b"X", frame.height)
    walk.items(sink, frame.columns)
    for column in frame.get_columns():
        _series(walk, sink, column)
    walk.put_at(sink, "", added(frame, INTERNAL))


def _series(walk: Walk, sink: Sink, series: Any) -> None:
    sink.mark(b"x", len(series))
    sink.text(series.name)
    sink.text(repr(series.dtype))
    walk.put_at(sink, "", added(series, INTERNAL))
    if series.dtype == pl.Object:
        walk.items(sink, series)
        return
    for start in range(0, len(series), _ROWS):
        _rows(sink, series.slice(start, _ROWS))


def _rows(sink: Sink, rows: pl.Series) -> None:
    if str(rows.dtype) in ("Int128", "UInt128"):  # which Arrow does not know
        rows = rows.cast(pl.String)
    try:
        cells = rows.to_arrow()
    except pa.ArrowException:  # nested ones of these
        sink.buffer(rows.rechunk().to_frame().serialize())
    else:
        write_cells(sink, cells)
