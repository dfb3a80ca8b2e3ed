"""Rules for Arrow and polars: types with all that they say, and cells, whatever chunks these lie in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from dash_brain.memoizing.prints.sink import Sink
from dash_brain.memoizing.prints.walk import Rule, Walk, refuse

#: Rows that are looked at together, so that what has to be brought into order stays small.
_ROWS = 1 << 16

#: Bytes that they take, about, if they are long.
_PIECE = 16 << 20

_OFFSETS = {pa.string(): "i4", pa.binary(): "i4", pa.large_string(): "i8", pa.large_binary(): "i8"}


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of Arrow."""
    for kind, one in _RULES.items():
        if issubclass(cls, kind):
            return one
    return None


def _table(walk: Walk, sink: Sink, table: Any) -> None:
    sink.mark(b"Q", table.num_rows)
    sink.text(type(table).__name__)
    _schema(walk, sink, table.schema)
    for column in table.columns:
        write_cells(sink, column)


def _schema(walk: Walk, sink: Sink, schema: Any) -> None:
    sink.text("schema")
    sink.buffer(schema.serialize())


def _field(walk: Walk, sink: Sink, field: Any) -> None:
    sink.text("field")
    _schema(walk, sink, pa.schema([field]))


def _type(walk: Walk, sink: Sink, kind: Any) -> None:
    sink.text("type")
    _schema(walk, sink, pa.schema([pa.field("", kind)]))


def _cells(walk: Walk, sink: Sink, array: Any) -> None:
    sink.text(type(array).__name__)
    _type(walk, sink, array.type)
    write_cells(sink, array)


def _scalar(walk: Walk, sink: Sink, scalar: Any) -> None:
    sink.text("scalar")
    _cells(walk, sink, pa.array([scalar.as_py()], scalar.type))


def write_cells(sink: Sink, array: Any) -> None:
    """Write the cells of an array, or of a column of several."""
    sink.mark(b"q", len(array))
    for piece in _pieces(array):
        if piece.type in _OFFSETS:
            _texts(sink, piece)
        else:
            sink.buffer(_streamed(piece))


def _pieces(array: Any) -> Iterator[Any]:
    rows = max(1, min(_ROWS, len(array) * _PIECE // max(1, array.nbytes)))
    for start in range(0, len(array), rows):
        piece = array.slice(start, rows)
        if isinstance(piece, pa.ChunkedArray):
            chunks = piece.chunks
            piece = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
        yield piece


def _texts(sink: Sink, piece: Any) -> None:
    """Write strings as their lengths, -1 for none, and one after the other."""
    import numpy as np

    _, offsets, content = piece.buffers()
    places = np.frombuffer(offsets, _OFFSETS[piece.type])[piece.offset : piece.offset + len(piece) + 1]
    lengths = np.diff(places).astype("i8")
    if piece.null_count:
        missing = piece.is_null().to_numpy(zero_copy_only=False)
        if lengths[missing].any():  # what lies below a missing one means nothing
            sink.buffer(_streamed(pa.array(piece.to_pylist(), piece.type)))
            return
        lengths[missing] = -1
    sink.buffer(lengths)
    sink.buffer(memoryview(content or b"")[places[0] : places[-1]])


def _streamed(piece: Any) -> Any:
    """Return an array as Arrow writes it into a stream, with nothing of what lies around it."""
    if piece.null_count and not pa.types.is_nested(piece.type) and not pa.types.is_dictionary(piece.type):
        piece = pa.array(piece.to_pylist(), piece.type) if piece.type.num_fields == 0 else piece
    batch, stream = pa.record_batch([piece], ["cells"]), pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    return stream.getvalue()


def _unreadable(walk: Walk, sink: Sink, value: Any) -> None:
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
    pa.Buffer: lambda walk, sink, value: sink.buffer(value),
    pa.ipc.RecordBatchReader: _unreadable,
}
