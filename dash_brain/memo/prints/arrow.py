"""Rules for Arrow and polars: types with all that they say, and cells, whatever chunks these lie in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from dash_brain.codec.adapters.pyarrow import array_of_one, types_in
from dash_brain.codec.reducers import Refused as CannotStore
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.walk import Rule, Walk, refuse

#: Rows that are looked at together, so that what has to be brought into order stays small.
_ROWS = 1 << 16

#: Bytes that they take, about, if they are long.
_PIECE = 16 << 20

_VIEWS = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}

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
    for kind in chain.from_iterable(map(types_in, schema.types)):
        if pa.types.is_map(kind):
            sink.text(kind.field(0).name)  # which is forgotten there
        if isinstance(kind, pa.BaseExtensionType):
            walk.put(sink, type(kind))


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
    try:
        _cells(walk, sink, array_of_one(scalar))
    except CannotStore:
        raise refuse(scalar) from None


def write_cells(sink: Sink, array: Any) -> None:
    """Write the cells of an array, or of a column of several, wherever and however they lie in memory."""
    sink.mark(b"q", len(array))
    for piece in _pieces(array):
        while isinstance(piece, pa.ExtensionArray):
            piece = piece.storage
        sink.mark(b"v", piece.null_count)
        _piece(sink, piece)


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


def _piece(sink: Sink, piece: Any) -> None:
    kind = piece.type
    if kind in _OFFSETS:
        _texts(sink, piece)
    elif _has_width(kind):
        _numbers(sink, piece)
    elif pa.types.is_boolean(kind):
        _numbers(sink, piece.cast(pa.uint8()))
    elif pa.types.is_dictionary(kind):
        write_cells(sink, piece.indices)
        write_cells(sink, piece.dictionary)
    elif pa.types.is_struct(kind):
        sink.buffer(piece.is_null().to_numpy(zero_copy_only=False))
        for field in piece.flatten():
            write_cells(sink, field)
    elif pa.types.is_map(kind):
        _piece(sink, piece.cast(pa.list_(kind.field(0))))
    elif _is_list(kind):
        lengths = pc.list_value_length(piece).cast(pa.int64()).fill_null(-1)
        sink.buffer(lengths.to_numpy())
        write_cells(sink, piece.flatten())
    elif str(kind) in _VIEWS:
        _texts(sink, piece.cast(_VIEWS[str(kind)]))
    else:
        sink.buffer(_streamed(piece))


def _is_list(kind: Any) -> bool:
    return pa.types.is_nested(kind) and kind.num_fields == 1 and hasattr(kind, "value_type")


def _texts(sink: Sink, piece: Any) -> None:
    """Write strings as their lengths, -1 for none, and one after the other."""
    import numpy as np

    _, offsets, content = piece.buffers()
    places = np.frombuffer(offsets, _OFFSETS[piece.type])[piece.offset : piece.offset + len(piece) + 1]
    lengths = np.diff(places).astype("i8")
    if piece.null_count:
        missing = piece.is_null().to_numpy(zero_copy_only=False)
        if lengths[missing].any():  # what lies below a missing one means nothing
            _texts(sink, pa.array(piece.to_pylist(), piece.type))
            return
        lengths[missing] = -1
    sink.buffer(lengths)
    sink.buffer(memoryview(content or b"")[places[0] : places[-1]])


def _numbers(sink: Sink, piece: Any) -> None:
    """Write cells of a fixed width, with zeros where there are none."""
    import numpy as np

    width = piece.type.bit_width // 8
    cells = np.frombuffer(piece.buffers()[1] or b"", "u1")
    cells = cells[piece.offset * width : (piece.offset + len(piece)) * width].reshape(-1, width)
    if piece.null_count:
        missing = piece.is_null().to_numpy(zero_copy_only=False)
        cells = cells.copy()
        cells[missing] = 0
        sink.buffer(missing)
    sink.buffer(cells)


def _streamed(piece: Any) -> Any:
    """Return an array as Arrow writes it into a stream, with nothing of what lies around it."""
    batch, stream = pa.record_batch([piece], ["cells"]), pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    return stream.getvalue()


def _has_width(kind: Any) -> bool:
    """Say whether cells of a type lie one after the other, each in so many bytes."""
    if pa.types.is_dictionary(kind) or kind.num_fields or isinstance(kind, pa.BaseExtensionType):
        return False
    try:
        return bool(kind.bit_width >= 8)
    except ValueError:
        return False


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
