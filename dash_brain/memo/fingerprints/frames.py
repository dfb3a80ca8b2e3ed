"""Rules for pandas: each column counts by its cells, because equal frames may have different blocks."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dash_brain.codec.adapters.pandas import (
    OF_FRAMES,
    OF_INDEXES,
    arrow_array,
    masked_arrays,
    numpy_array,
)
from dash_brain.codec.reducers import added
from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.values import write_object
from dash_brain.memo.fingerprints.walk import Rule, Walk

#: Rows that are copied at once.
_ROWS = 1 << 18


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of pandas, or a subclass."""
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


def _frame(walk: Walk, hasher: Hasher, frame: Any) -> None:
    hasher.text("frame")
    _labels(walk, hasher, frame)
    walk.put_at(hasher, ".columns", frame.columns)
    for number, name in enumerate(frame.columns):
        walk_column(walk, hasher, f"[{name!r}]", frame.iloc[:, number])


def walk_column(walk: Walk, hasher: Hasher, label: str, column: Any) -> None:
    """Write the cells of a column, which are the frame's or were copied for us."""
    from dash_brain.memo.fingerprints.no_fingerprint import NoFingerprint

    try:
        _column(walk, hasher, column.array)
    except NoFingerprint as refused:
        raise refused.within(label) from None


def _column(walk: Walk, hasher: Hasher, array: Any) -> None:
    walk.inline(hasher, array.to_numpy() if isinstance(array, pd.arrays.NumpyExtensionArray) else array)


def _series(walk: Walk, hasher: Hasher, series: Any) -> None:
    hasher.text("series")
    _labels(walk, hasher, series)
    walk.put_at(hasher, ".name", series.name)
    _column(walk, hasher, series.array)


def _labels(walk: Walk, hasher: Hasher, value: Any) -> None:
    walk.put_at(hasher, ".index", value.index)
    walk.put_at(hasher, ".attrs", value.attrs)
    walk.put(hasher, value.flags.allows_duplicate_labels)
    _own(walk, hasher, value, OF_FRAMES)


def _own(walk: Walk, hasher: Hasher, value: Any, internal: frozenset[str]) -> None:
    """Write the class of a subclass, what it keeps by its metadata, and what else was set on it."""
    if type(value) not in _RULES:
        walk.put(hasher, type(value))
        for name in getattr(value, "_metadata", ()):
            walk.put_at(hasher, f".{name}", getattr(value, name, None))
    walk.put_at(hasher, "", added(value, internal))


def _index(walk: Walk, hasher: Hasher, index: Any) -> None:
    hasher.text("index")
    walk.put_at(hasher, ".name", index.name)
    _column(walk, hasher, index.array)
    _own(walk, hasher, index, OF_INDEXES)


def _special_index(walk: Walk, hasher: Hasher, index: Any) -> None:
    write_object(walk, hasher, index)
    walk.put_at(hasher, "", added(index, OF_INDEXES))


def _array(walk: Walk, hasher: Hasher, array: Any) -> None:
    """Write an array of pandas' own: without what it has cached, and whether it may be written to."""
    walk.put(hasher, type(array))
    walk.put(hasher, array.dtype)
    if (arrow := arrow_array(array)) is not None:
        from dash_brain.memo.fingerprints.arrow import write_cells

        write_cells(hasher, arrow)
    elif (numbers := numpy_array(array)) is not None:
        walk.inline(hasher, numbers.cells)
        walk.put(hasher, numbers.frequency)
    elif (masked := masked_arrays(array)) is not None:
        walk.inline(hasher, masked.mask)
        for start in range(0, len(array), _ROWS):
            piece = masked.cells[start : start + _ROWS].copy()
            piece[masked.mask[start : start + _ROWS]] = 0  # the bytes of a missing value are undefined
            walk.inline(hasher, piece)
    else:
        walk.items(hasher, array.__reduce_ex__(5)[1:])


def _dtype(walk: Walk, hasher: Hasher, dtype: Any) -> None:
    hasher.text(f"{type(dtype).__module__}.{type(dtype).__qualname__} {dtype.name}")
    for name in getattr(dtype, "_metadata", ()):
        walk.put_at(hasher, f".{name}", getattr(dtype, name, None))


_RULES: dict[type, Rule] = {pd.DataFrame: _frame, pd.Series: _series, pd.Index: _index}
