"""Rules for Arrow and polars: types with their metadata, and cells, in whatever chunks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from dash_brain.codec.adapters.pyarrow import array_of_one, types_in
from dash_brain.codec.reducers import Refused as CannotStore
from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.walk import Rule, Walk, refuse

#: Rows that are processed together, so that copies stay small.
_ROWS = 1 << 16

#: Bytes of such rows, about, if they are long.
_PIECE = 16 << 20

_VIEWS = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}

_OFFSETS = {pa.string(): "i4", pa.binary(): "i4", pa.large_string(): "i8", pa.large_binary(): "i8"}


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of Arrow."""
    for kind, one in _RULES.items():
        if issubclass(cls, kind):
            return one
    return None


def _table(walk: Walk, hasher: Hasher, table: Any) -> None:
    hasher.mark(b"Q", table.num_rows)
    hasher.text(type(table).__name__)
    _schema(walk, hasher, table.schema)
    for column in table.columns:
        write_cells(hasher, column)


def _schema(walk: Walk, hasher: Hasher, schema: Any) -> None:
    hasher.text("schema")
    hasher.buffer(schema.serialize())
    for kind in chain.from_iterable(map(types_in, schema.types)):
        if pa.types.is_map(kind):
            hasher.text(kind.field(0).name)  # which is forgotten there
        if isinstance(kind, pa.BaseExtensionType):
            walk.put(hasher, type(kind))


def _field(walk: Walk, hasher: Hasher, field: Any) -> None:
    hasher.text("field")
    _schema(walk, hasher, pa.schema([field]))


def _type(walk: Walk, hasher: Hasher, kind: Any) -> None:
    hasher.text("type")
    _schema(walk, hasher, pa.schema([pa.field("", kind)]))


def _cells(walk: Walk, hasher: Hasher, array: Any) -> None:
    hasher.text(type(array).__name__)
    _type(walk, hasher, array.type)
    write_cells(hasher, array)


def _scalar(walk: Walk, hasher: Hasher, scalar: Any) -> None:
    hasher.text("scalar")
    try:
        _cells(walk, hasher, array_of_one(scalar))
    except CannotStore:
        raise refuse(scalar) from None


def write_cells(hasher: Hasher, array: Any) -> None:
    """Write the cells of an array, or of a column of several, wherever and however they lie in memory."""
    hasher.mark(b"q", len(array))
    for piece in _pieces(array):
        while isinstance(piece, pa.ExtensionArray):
            piece = piece.storage
        hasher.mark(b"v", piece.null_count)
        _piece(hasher, piece)


def _pieces(array: Any) -> Iterator[Any]:
    rows = _rows(array)
    for start in range(0, len(array), rows):
        piece = array.slice(start, rows)
        if isinstance(piece, pa.ChunkedArray):
            chunks = piece.chunks
            piece = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
        yield piece


def _rows(array: Any) -> int:
    """Return how many rows are looked at together: of what is written without a copy, always the same."""
    kind = array.type
    if _has_width(kind):
        width: int = kind.bit_width // 8
        return max(1, min(_ROWS, _PIECE // width))
    if pa.types.is_union(kind) or not kind.num_fields:
        fitting: int = len(array) * _PIECE // max(1, array.nbytes)
        return max(1, min(_ROWS, fitting))
    return _ROWS


def _piece(hasher: Hasher, piece: Any) -> None:
    kind = piece.type
    if kind in _OFFSETS:
        _texts(hasher, piece)
    elif _has_width(kind):
        _numbers(hasher, piece)
    elif pa.types.is_boolean(kind):
        _numbers(hasher, piece.cast(pa.uint8()))
    elif pa.types.is_dictionary(kind):
        write_cells(hasher, piece.indices)
        write_cells(hasher, piece.dictionary)
    elif pa.types.is_struct(kind):
        hasher.buffer(piece.is_null().to_numpy(zero_copy_only=False))
        for field in piece.flatten():
            write_cells(hasher, field)
    elif pa.types.is_map(kind):
        _piece(hasher, piece.cast(pa.list_(kind.field(0))))
    elif _is_list(kind):
        lengths = pc.list_value_length(piece).cast(pa.int64()).fill_null(-1)
        hasher.buffer(lengths.to_numpy())
        write_cells(hasher, piece.flatten())
    elif str(kind) in _VIEWS:
        _texts(hasher, piece.cast(_VIEWS[str(kind)]))
    else:
        hasher.buffer(_streamed(piece))


def _is_list(kind: Any) -> bool:
    return pa.types.is_nested(kind) and kind.num_fields == 1 and hasattr(kind, "value_type")


def _texts(hasher: Hasher, piece: Any) -> None:
    """Write strings as their lengths, -1 for none, and one after the other."""
    import numpy as np

    _, offsets, content = piece.buffers()
    places = np.frombuffer(offsets, _OFFSETS[piece.type])[piece.offset : piece.offset + len(piece) + 1]
    lengths = np.diff(places).astype("i8")
    if piece.null_count:
        missing = piece.is_null().to_numpy(zero_copy_only=False)
        if lengths[missing].any():  # the bytes of a missing value are undefined
            _texts(hasher, pa.array(piece.to_pylist(), piece.type))
            return
        lengths[missing] = -1
    hasher.buffer(lengths)
    hasher.buffer(memoryview(content or b"")[places[0] : places[-1]])


def _numbers(hasher: Hasher, piece: Any) -> None:
    """Write cells of a fixed width, with zeros where there are none."""
    import numpy as np

    width = piece.type.bit_width // 8
    cells = np.frombuffer(piece.buffers()[1] or b"", "u1")
    cells = cells[piece.offset * width : (piece.offset + len(piece)) * width].reshape(-1, width)
    if piece.null_count:
        missing = piece.is_null().to_numpy(zero_copy_only=False)
        cells = cells.copy()
        cells[missing] = 0
        hasher.buffer(missing)
    hasher.buffer(cells)


def _streamed(piece: Any) -> Any:
    """Return an array as Arrow writes it into a stream, without unused parts of its buffers."""
    batch, stream = pa.record_batch([piece], ["cells"]), pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    return stream.getvalue()


def _has_width(kind: Any) -> bool:
    """Say whether the cells of a type have a fixed width in bytes."""
    if pa.types.is_dictionary(kind) or kind.num_fields or isinstance(kind, pa.BaseExtensionType):
        return False
    try:
        return bool(kind.bit_width >= 8)
    except ValueError:
        return False


def _unreadable(walk: Walk, hasher: Hasher, value: Any) -> None:
    raise refuse(value)


_RULES: dict[type, Rule] = {
    pa.Table: _table,
    pa.RecordBatch: _table,
    pa.Schema: _schema,
    pa.Field: _field,
    pa.DataType: _type,
    pa.ChunkedArray: _cells,
    pa.Array: _cells,
    pa.Scalar: _scalar,
    pa.Buffer: lambda walk, hasher, value: hasher.buffer(value),
    pa.ipc.RecordBatchReader: _unreadable,
}
