"""pandas: parts that pandas puts together again by validating them, which costs more than reading a frame.

They were validated when they were made, and their bytes are authentic. So they are put together as pandas
itself does it inside.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.core.internals.managers import BlockManager  # type: ignore[import-not-found]

from dash_brain.codec.reducers import Reducer


def reducer(cls: type) -> Reducer | None:
    """Return the reducer of one of these parts, whose subclasses are left to pandas."""
    return _REDUCERS.get(cls)


def _reduce_index(index: Any) -> tuple[Any, ...]:
    return new_index, (index._data, index._name)


def new_index(values: Any, name: Any) -> Any:
    """Return the index of these values."""
    return pd.Index._simple_new(values, name)  # type: ignore[attr-defined]


def _reduce_range(index: Any) -> tuple[Any, ...]:
    return new_range, (index.start, index.stop, index.step, index._name)


def new_range(start: int, stop: int, step: int, name: Any) -> Any:
    """Return the index of a range."""
    return pd.RangeIndex._simple_new(range(start, stop, step), name)  # type: ignore[attr-defined]


def _reduce_manager(manager: Any) -> tuple[Any, ...]:
    _, (blocks, axes) = manager.__reduce__()
    return new_manager, (blocks, axes)


def new_manager(blocks: Any, axes: Any) -> Any:
    """Return what holds the columns of a frame."""
    return BlockManager(blocks, axes, verify_integrity=False)


_REDUCERS: dict[type, Reducer] = {
    pd.Index: _reduce_index,
    pd.RangeIndex: _reduce_range,
    BlockManager: _reduce_manager,
}
