"""Rules for polars: columns count by their types and cells, whatever chunks these lie in."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

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


def _series(walk: Walk, sink: Sink, series: Any) -> None:
    sink.mark(b"x", len(series))
    sink.text(series.name)
    sink.text(repr(series.dtype))
    if series.dtype == pl.Object:
        walk.items(sink, series)
        return
    for start in range(0, len(series), _ROWS):
        _rows(sink, series.slice(start, _ROWS))


def _rows(sink: Sink, rows: pl.Series) -> None:
    try:
        cells = rows.to_arrow()
    except pa.ArrowException:  # of 128 bits
        sink.buffer(rows.rechunk().to_frame().serialize())
    else:
        write_cells(sink, cells)
