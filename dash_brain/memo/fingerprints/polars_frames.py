"""Rules for polars: columns count by their types and cells, whatever chunks these lie in."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

from dash_brain.codec.adapters.polars import INTERNAL
from dash_brain.codec.reducers import added
from dash_brain.memo.fingerprints.arrow import write_cells
from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.walk import Rule, Walk

_ROWS = 1 << 16


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of polars."""
    if cls is pl.DataFrame:
        return _frame
    return _series if cls is pl.Series else None


def _frame(walk: Walk, hasher: Hasher, frame: Any) -> None:
    hasher.mark(b"X", frame.height)
    walk.items(hasher, frame.columns)
    for column in frame.get_columns():
        _series(walk, hasher, column)
    walk.put_at(hasher, "", added(frame, INTERNAL))


def _series(walk: Walk, hasher: Hasher, series: Any) -> None:
    hasher.mark(b"x", len(series))
    hasher.text(series.name)
    hasher.text(repr(series.dtype))
    walk.put_at(hasher, "", added(series, INTERNAL))
    if series.dtype == pl.Object:
        walk.items(hasher, series)
        return
    for start in range(0, len(series), _ROWS):
        _rows(hasher, series.slice(start, _ROWS))


def _rows(hasher: Hasher, rows: pl.Series) -> None:
    if str(rows.dtype) in ("Int128", "UInt128"):  # which Arrow does not know
        rows = rows.cast(pl.String)
    try:
        cells = rows.to_arrow()
    except pa.ArrowException:  # nested ones of these
        hasher.buffer(rows.rechunk().to_frame().serialize())
    else:
        write_cells(hasher, cells)
