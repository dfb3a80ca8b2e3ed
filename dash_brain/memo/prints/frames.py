"""Rules for pandas: equal frames lie in memory in several ways, so each column counts by its cells."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dash_brain.codec.adapters.pandas import OF_FRAMES, OF_INDEXES
from dash_brain.codec.reducers import added
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.values import write_object
from dash_brain.memo.prints.walk import Rule, Walk

#: Rows that are copied at once.
_ROWS = 1 << 18


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of pandas, or one that is made of it."""
    if cls in _RULES:
        return _RULES[cls]
    if issubclass(cls, pd.Index):
        return _special_index
    for base in (pd.DataFrame, pd.Series):
        if issubclass(cls, base) and cls.__reduce__ is object.__reduce__:
            return _RULES[base]
    if issubclass(cls, pd.api.extensions.ExtensionArray):
        return _array
    return _dtype if issubclass(cls, pd.api.extensions.ExtensionDtype) else None


def _frame(walk: Walk, sink: Sink, frame: Any) -> None:
    sink.text("frame")
    _labels(walk, sink, frame)
    walk.put_at(sink, ".columns", frame.columns)
    for number, name in enumerate(frame.columns):
        walk_column(walk, sink, f"[{name!r}]", frame.iloc[:, number])


def walk_column(walk: Walk, sink: Sink, label: str, column: Any) -> None:
    """Write the cells of a column, which are the frame's or were copied for us."""
    from dash_brain.memo.prints.refusal import Refused

    try:
        _column(walk, sink, column.array)
    except Refused as refused:
        raise refused.within(label) from None


def _column(walk: Walk, sink: Sink, array: Any) -> None:
    walk.inline(sink, array.to_numpy() if isinstance(array, pd.arrays.NumpyExtensionArray) else array)


def _series(walk: Walk, sink: Sink, series: Any) -> None:
    sink.text("series")
    _labels(walk, sink, series)
    walk.put_at(sink, ".name", series.name)
    _column(walk, sink, series.array)


def _labels(walk: Walk, sink: Sink, value: Any) -> None:
    walk.put_at(sink, ".index", value.index)
    walk.put_at(sink, ".attrs", value.attrs)
    walk.put(sink, value.flags.allows_duplicate_labels)
    _own(walk, sink, value, OF_FRAMES)


def _own(walk: Walk, sink: Sink, value: Any, internal: frozenset[str]) -> None:
    """Write the class of a subclass, what it keeps by its metadata, and what else was set on it."""
    if type(value) not in _RULES:
        walk.put(sink, type(value))
        for name in getattr(value, "_metadata", ()):
            walk.put_at(sink, f".{name}", getattr(value, name, None))
    walk.put_at(sink, "", added(value, internal))


def _index(walk: Walk, sink: Sink, index: Any) -> None:
    sink.text("index")
    walk.put_at(sink, ".name", index.name)
    _column(walk, sink, index.array)
    _own(walk, sink, index, OF_INDEXES)


def _special_index(walk: Walk, sink: Sink, index: Any) -> None:
    write_object(walk, sink, index)
    walk.put_at(sink, "", added(index, OF_INDEXES))


def _array(walk: Walk, sink: Sink, array: Any) -> None:
    """Write an array of pandas' own: without what it has cached, and whether it may be written to."""
    walk.put(sink, type(array))
    walk.put(sink, array.dtype)
    if hasattr(array, "_pa_array"):
        from dash_brain.memo.prints.arrow import write_cells

        write_cells(sink, array._pa_array)
    elif hasattr(array, "_ndarray"):  # numbers, of categories and days too
        walk.inline(sink, array._ndarray)
        walk.put(sink, getattr(array, "_freq", None))
    elif hasattr(array, "_mask") and hasattr(array, "_data"):
        walk.inline(sink, array._mask)
        for start in range(0, len(array), _ROWS):
            piece = array._data[start : start + _ROWS].copy()
            piece[array._mask[start : start + _ROWS]] = 0  # what lies below a missing one means nothing
            walk.inline(sink, piece)
    else:
        walk.items(sink, array.__reduce_ex__(5)[1:])


def _dtype(walk: Walk, sink: Sink, dtype: Any) -> None:
    sink.text(f"{type(dtype).__module__}.{type(dtype).__qualname__} {dtype.name}")
    for name in getattr(dtype, "_metadata", ()):
        walk.put_at(sink, f".{name}", getattr(dtype, name, None))


_RULES: dict[type, Rule] = {pd.DataFrame: _frame, pd.Series: _series, pd.Index: _index}
