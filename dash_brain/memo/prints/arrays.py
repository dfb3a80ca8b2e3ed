"""Rules for numpy: an array counts by its type, its shape and its numbers, whatever their order in memory."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from dash_brain.codec.adapters.numpy import OF_MASKED
from dash_brain.codec.reducers import added
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.walk import Rule, Walk, refuse

#: Bytes that are brought into order at once.
_PIECE = 1 << 20

#: What a memory map knows of its file is no part of its numbers.
_PLAIN = {np.ndarray, np.memmap}


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of numpy, or one that is made of it."""
    if issubclass(cls, np.ma.MaskedArray):
        return _masked
    if issubclass(cls, np.ndarray):
        return _array
    if issubclass(cls, np.generic) and cls.__module__ == "numpy":
        return _scalar
    if issubclass(cls, np.dtype):
        return _dtype
    if cls is np.ufunc:
        return _ufunc
    return _vectorized if issubclass(cls, np.vectorize) else None


def _array(walk: Walk, sink: Sink, array: Any) -> None:
    sink.mark(b"A")
    walk.put(sink, type(array))
    plain = array.view(np.ndarray) if type(array) is not np.ndarray else array
    _dtype(walk, sink, array.dtype)
    walk.put(sink, array.shape)
    _numbers(walk, sink, plain)
    if type(array) not in _PLAIN:
        walk.put_at(sink, ".__dict__", getattr(array, "__dict__", None))


def _masked(walk: Walk, sink: Sink, array: Any) -> None:
    sink.mark(b"K")
    walk.put(sink, type(array))
    for part in (array.data, array.mask if np.any(array.mask) else np.ma.nomask, array.fill_value):
        walk.inline(sink, np.asarray(part))
    walk.put(sink, bool(array.hardmask))
    walk.put_at(sink, "", added(array, OF_MASKED))


def _scalar(walk: Walk, sink: Sink, scalar: Any) -> None:
    sink.mark(b"G")
    walk.put(sink, type(scalar))
    _dtype(walk, sink, scalar.dtype)
    _numbers(walk, sink, np.asarray(scalar))


def _dtype(walk: Walk, sink: Sink, dtype: Any) -> None:
    sink.mark(b"t", dtype.itemsize)
    sink.text(f"{dtype!r} {dtype.str} {dtype.type.__module__}.{dtype.type.__qualname__} {dtype.alignment}")
    walk.put(sink, None if dtype.metadata is None else dict(dtype.metadata))
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        _dtype(walk, sink, base)
        walk.put(sink, shape)
    for name in dtype.names or ():
        field, offset, *title = dtype.fields[name]
        walk.items(sink, (name, offset, *title))
        _dtype(walk, sink, field)


def _numbers(walk: Walk, sink: Sink, array: Any) -> None:
    if array.dtype.names is not None:  # between fields there may be bytes that mean nothing
        for name in array.dtype.names:
            _numbers(walk, sink, array[name])
    elif array.dtype.hasobject or array.dtype.kind == "T":
        cells = array.reshape(-1) if array.flags.c_contiguous else array.flat
        walk.items(sink, (cells[at] for at in range(array.size)), lambda at: _position(array, at))
    elif array.flags.c_contiguous:
        sink.buffer(array.reshape(-1).view(np.uint8) if array.size and array.itemsize else b"")
    else:
        _strided(sink, array)


def _strided(sink: Sink, array: Any) -> None:
    """Write an array that lies scattered in memory, in pieces, as if it lay in order."""
    sink.mark(b"b", array.nbytes)
    if array.nbytes > 4 << 20:
        whole = Sink()
        for piece in _pieces(array):
            whole.write(piece)
        sink.write(whole.digest())
    else:
        for piece in _pieces(array):
            sink.write(piece)


def _pieces(array: Any) -> Any:
    if array.nbytes <= _PIECE or array.ndim == 0:
        yield np.ascontiguousarray(array).tobytes()
    elif len(array) > 1 and array[0].nbytes < _PIECE:
        rows = max(1, _PIECE // max(1, array[0].nbytes))
        for start in range(0, len(array), rows):
            yield np.ascontiguousarray(array[start : start + rows]).tobytes()
    else:
        for row in array:
            yield from _pieces(row)


def _position(array: Any, at: int) -> str:
    return str([int(number) for number in np.unravel_index(at, array.shape)])


def _ufunc(walk: Walk, sink: Sink, function: Any) -> None:
    """Write a ufunc by its name, or by the Python function that np.frompyfunc was given."""
    sink.mark(b"U")
    sink.text(function.__name__)
    if getattr(np, function.__name__, None) is function:
        return
    made_of = [part for part in gc.get_referents(function) if callable(part)]
    if not made_of:
        raise refuse(function)
    walk.items(sink, [*made_of, function.nin, function.nout, function.identity])


def _vectorized(walk: Walk, sink: Sink, value: Any) -> None:
    sink.mark(b"V")
    walk.put_at(sink, ".pyfunc", value.pyfunc)
    walk.items(sink, [value.otypes, value.signature, value.excluded, value.cache])
