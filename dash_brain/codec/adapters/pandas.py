"""pandas: parts that pandas puts together again by validating them, which costs more than reading a frame.

They were validated when they were made, and their bytes are authentic. So they are put together as pandas
itself does it inside. All private names of pandas that dash_brain uses stand in this file. They were read in
pandas 2.2.3 and 3.1.1.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from dash_brain.codec.reducers import Reducer, Refused
from dash_brain.codec.stable import named

try:
    from pandas.core.internals.blocks import Block  # type: ignore[import-not-found]
    from pandas.core.internals.managers import (  # type: ignore[import-not-found]
        BlockManager,
        SingleBlockManager,
    )

    _new_index = pd.Index._simple_new  # type: ignore[attr-defined]
    _new_range = pd.RangeIndex._simple_new  # type: ignore[attr-defined]
    _parts_of_index = pd.Index([0])._data, pd.Index([0])._name, pd.RangeIndex(0)._name  # type: ignore[attr-defined]
except (ImportError, AttributeError) as error:
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


def reducer(cls: type) -> Reducer | None:
    """Return the reducer of one of these parts, whose subclasses are left to pandas."""
    return _REDUCERS.get(cls)


def _reduce_index(index: Any) -> tuple[Any, ...]:
    return new_index, (index._data, index._name)


@named("index")
def new_index(values: Any, name: Any) -> Any:
    """Return the index of these values."""
    return _new_index(values, name)


def _reduce_range(index: Any) -> tuple[Any, ...]:
    return new_range, (index.start, index.stop, index.step, index._name)


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


_REDUCERS: dict[type, Reducer] = {
    pd.Index: _reduce_index,
    pd.RangeIndex: _reduce_range,
    BlockManager: _reduce_manager,
}
