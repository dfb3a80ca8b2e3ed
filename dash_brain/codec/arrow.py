"""pyarrow: the buffers of an array go out-of-band by themselves; a slice stores only itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from dash_brain.codec.reducers import Reducer


def reducer(cls: type) -> Reducer | None:
    """Return the reducer for an array type; tables and batches consist of arrays."""
    return _reduce_array if issubclass(cls, pa.Array) else None


def _reduce_array(array: Any) -> str | tuple[Any, ...]:
    reduced: tuple[Any, ...] = _compact(array).__reduce__()
    return reduced


def _compact(array: Any) -> Any:
    """Return the array, or a copy of just its own part where its buffers hold much more."""
    try:
        if _is_view(array.type):
            return _compact_view(array)
        if wasteful(array.get_total_buffer_size(), array.nbytes):
            return pa.concat_arrays([array])
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
        # Arrow knows no way to copy this type: the whole buffers are right, only larger.
        return array
    return array


def wasteful(held: int, needed: int) -> bool:
    """Tell whether copying what is needed beats storing everything that is held, both in bytes."""
    return held - needed > needed // 8 + 1024


def _is_view(kind: Any) -> bool:
    return str(kind) in ("string_view", "binary_view")


def _compact_view(array: Any) -> Any:
    """Compact an array of views, whose ``nbytes`` counts the text of all rows that once were."""
    _, views, *texts = array.buffers()
    if views is None:
        return array
    lengths = np.frombuffer(views, dtype=np.int32)[4 * array.offset :: 4][: len(array)]
    needed = 16 * len(array) + int(lengths[lengths > 12].sum(dtype=np.int64))
    if not wasteful(views.size + sum(text.size for text in texts), needed):
        return array
    whole = pa.large_string() if str(array.type) == "string_view" else pa.large_binary()
    return array.cast(whole).cast(array.type)
