"""Rules for Arrow and polars: types with their metadata, and cells, in whatever chunks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from dash_brain.codec.adapters.pyarrow import array_of_one, types_in
from dash_brain.codec.reducers import Refused as CannotStore
from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.walk import Rule, Walk, refuse

#: Rows that are processed together, so that copies stay small.
_ROWS = 1 << 16

#: Bytes of such rows, about, if they are long.
_PIECE = 16 << 20

_VIEWS = ("string_view", "binary_view")

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
    """Write the cells of an array, or of a column of several."""
    hasher.mark(b"q", len(array))
    for piece in _pieces(array):
        while isinstance(piece, pa.ExtensionArray):
            piece = piece.storage
        if piece.type in _OFFSETS:
            _texts(hasher, piece)
        elif _has_width(piece.type):
            _numbers(hasher, piece)
        else:
            hasher.buffer(_streamed(piece))


def _pieces(array: Any) -> Iterator[Any]:
    rows = max(1, min(_ROWS, len(array) * _PIECE // max(1, array.nbytes)))
    for start in range(0, len(array), rows):
        piece = array.slice(start, rows)
        if isinstance(piece, pa.ChunkedArray):
            chunks = piece.chunks
            piece = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
        yield piece


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
    if piece.null_count and (pa.types.is_boolean(piece.type) or str(piece.type) in _VIEWS):
        piece = pa.array(piece.to_pylist(), piece.type)  # the bytes of a missing value are undefined
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
