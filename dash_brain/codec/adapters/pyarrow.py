"""pyarrow: types with all that belongs to them, and only that part of a buffer that a slice shows.

The buffers of arrays go out-of-band by themselves. pyarrow's own pickling of types forgets parts of some (the
field in a fixed-size list, the order of a map's keys), and that of tables without columns their rows.

No private name of pyarrow is used here or elsewhere in dash_brain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from dash_brain.codec.reducers import Reducer, Refused
from dash_brain.codec.stable import named

SURE = (
    pa.Array,
    pa.ChunkedArray,
    pa.Table,
    pa.RecordBatch,
    pa.Buffer,
    pa.DataType,
    pa.Field,
    pa.Schema,
    pa.Scalar,
)


def reducer(cls: type) -> Reducer | None:
    """Return the reducer for a type of pyarrow, or None where its own pickling is right."""
    return next((reduce for base, reduce in _REDUCERS.items() if issubclass(cls, base)), None)


def _reduce_type(kind: pa.DataType) -> tuple[Any, ...]:
    reduced: tuple[Any, ...] = kind.__reduce__()
    if not (kind.num_fields or isinstance(kind, (pa.BaseExtensionType, pa.DictionaryType))):
        return reduced
    if pa.types.is_fixed_size_list(kind):
        reduced = new_fixed_size_list, (kind.value_field, kind.list_size)
    elif pa.types.is_map(kind):
        reduced = new_map, (kind.key_field, kind.item_field, kind.keys_sorted)
    for function, arguments in _ways_to_build(kind, reduced):
        if same_type(function(*arguments), kind):
            return function, arguments
    raise Refused(f"pyarrow cannot build its {type(kind).__name__} anew")


def _ways_to_build(kind: pa.DataType, reduced: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield functions with arguments that may return the type, the cheapest one first."""
    yield reduced
    yield new_type, (_described(kind),)
    if pa.types.is_map(kind):
        with suppress(pa.ArrowException):  # not every type of keys and items can be written
            yield new_map_of_parquet, (_empty_parquet(kind),)


def _described(kind: pa.DataType) -> bytes:
    described: bytes = pa.schema([pa.field("", kind)]).serialize().to_pybytes()
    return described


def _empty_parquet(kind: pa.MapType) -> bytes:
    """Return a file without rows: only reading Parquet names the entries of a map after its column."""
    from pyarrow import parquet

    column = pa.field(kind.field(0).name, kind)
    parquet.write_table(pa.schema([column]).empty_table(), written := pa.BufferOutputStream())
    return bytes(written.getvalue().to_pybytes())


def same_type(one: pa.DataType, other: pa.DataType) -> bool:
    """Say whether two types are the same in all that belongs to them, which ``==`` does not look at."""
    if type(one) is not type(other) or not one.equals(other, check_metadata=True):
        return False
    if isinstance(one, pa.DictionaryType):
        return same_type(one.value_type, other.value_type)
    if isinstance(one, pa.BaseExtensionType):
        return same_type(one.storage_type, other.storage_type) and _parameters(one) == _parameters(other)
    fields = [(one.field(at), other.field(at)) for at in range(one.num_fields)]
    return all(same_type(mine.type, yours.type) for mine, yours in fields)


def _parameters(kind: pa.BaseExtensionType) -> object:
    return kind.__arrow_ext_serialize__() if isinstance(kind, pa.ExtensionType) else str(kind)


@named("arrow_type")
def new_type(described: bytes) -> pa.DataType:
    """Return the type that Arrow's own format describes."""
    return pa.ipc.read_schema(pa.py_buffer(described)).field(0).type


@named("arrow_list")
def new_fixed_size_list(field: pa.Field, size: int) -> pa.DataType:
    """Return the type of lists of a fixed size."""
    return pa.list_(field, size)


@named("arrow_map")
def new_map(key: pa.Field, item: pa.Field, keys_sorted: bool) -> pa.DataType:
    """Return the type of maps."""
    return pa.map_(key, item, keys_sorted=keys_sorted)


@named("arrow_map_of_parquet")
def new_map_of_parquet(file: bytes) -> pa.DataType:
    """Return the type of maps in the one column of a Parquet file."""
    from pyarrow import parquet

    return parquet.read_schema(pa.py_buffer(file)).field(0).type


def _reduce_scalar(scalar: pa.Scalar) -> tuple[Any, ...]:
    return new_scalar, (array_of_one(scalar),)


def array_of_one(scalar: pa.Scalar) -> pa.Array:
    """Return an array that holds just this scalar, exactly.

    pyarrow's own pickling goes through a Python object, which has no nanoseconds and no equal names.
    """
    if any(map(pa.types.is_union, types_in(scalar.type))):
        # pyarrow 26 makes arrays of unions that crash the process when they are looked at.
        raise Refused("Scalars with unions are not stored: store the array that it comes from")
    try:
        array = _of_storage(scalar) if isinstance(scalar, pa.ExtensionScalar) else pa.repeat(scalar, 1)
    except (pa.ArrowException, TypeError) as error:
        raise Refused("Arrow makes no array of it: store the array that it comes from") from error
    if not same_type(array.type, scalar.type):
        raise Refused("Arrow makes an array of another type of it: store the array that it comes from")
    return array


def types_in(kind: pa.DataType) -> Iterator[pa.DataType]:
    """Yield a type and all types that it consists of."""
    yield kind
    inner = [kind.field(at).type for at in range(kind.num_fields)]
    inner += [kind.storage_type] if isinstance(kind, pa.BaseExtensionType) else []
    inner += [kind.value_type] if isinstance(kind, pa.DictionaryType) else []
    for part in inner:
        yield from types_in(part)


@named("arrow_scalar")
def new_scalar(array: pa.Array) -> pa.Scalar:
    """Return the one cell of an array."""
    return array[0]


def _of_storage(scalar: pa.ExtensionScalar) -> pa.Array:
    # pyarrow 18 repeats no scalars of extension types.
    kind = scalar.type
    storage = pa.nulls(1, kind.storage_type) if scalar.value is None else array_of_one(scalar.value)
    return pa.ExtensionArray.from_storage(kind, storage)


def _reduce_table(table: Any) -> tuple[Any, ...]:
    if table.num_columns:
        reduced: tuple[Any, ...] = table.__reduce__()
        return reduced
    return new_rows, (type(table) is pa.Table, table.num_rows, table.schema)


@named("arrow_rows")
def new_rows(is_table: bool, count: int, schema: pa.Schema) -> Any:
    """Return a table or batch that has rows and no columns."""
    rows = pa.RecordBatch.from_arrays([pa.nulls(count)], [""]).select([])
    rows = rows.replace_schema_metadata(schema.metadata)
    return pa.Table.from_batches([rows], rows.schema) if is_table else rows


def _reduce_array(array: pa.Array) -> tuple[Any, ...]:
    compact = _compact(array)
    reduced: tuple[Any, ...] = (compact if same_type(compact.type, array.type) else array).__reduce__()
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


_REDUCERS: dict[type, Reducer] = {
    pa.Array: _reduce_array,
    pa.DataType: _reduce_type,
    pa.Scalar: _reduce_scalar,
    pa.Table: _reduce_table,
    pa.RecordBatch: _reduce_table,
}
