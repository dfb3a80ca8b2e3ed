"""Rules for numpy: an array counts by its type, its shape and its numbers, whatever their order in memory."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from dash_brain.codec.adapters.numpy import OF_MASKED
from dash_brain.codec.reducers import added
from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.walk import Rule, Walk, refuse

#: Bytes that are copied into contiguous memory at once.
_PIECE = 1 << 20

#: Attributes of a memory map about its file, which do not count.
_PLAIN = {np.ndarray, np.memmap}


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of numpy, or a subclass."""
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


def _array(walk: Walk, hasher: Hasher, array: Any) -> None:
    hasher.mark(b"A")
    walk.put(hasher, type(array))
    plain = array.view(np.ndarray) if type(array) is not np.ndarray else array
    _dtype(walk, hasher, array.dtype)
    walk.put(hasher, array.shape)
    _numbers(walk, hasher, plain)
    if type(array) not in _PLAIN:
        walk.put_at(hasher, ".__dict__", getattr(array, "__dict__", None))


def _masked(walk: Walk, hasher: Hasher, array: Any) -> None:
    hasher.mark(b"K")
    walk.put(hasher, type(array))
    for part in (array.data, array.mask if np.any(array.mask) else np.ma.nomask, array.fill_value):
        walk.inline(hasher, np.asarray(part))
    walk.put(hasher, bool(array.hardmask))
    walk.put_at(hasher, "", added(array, OF_MASKED))


def _scalar(walk: Walk, hasher: Hasher, scalar: Any) -> None:
    hasher.mark(b"G")
    walk.put(hasher, type(scalar))
    _dtype(walk, hasher, scalar.dtype)
    _numbers(walk, hasher, np.asarray(scalar))


def _dtype(walk: Walk, hasher: Hasher, dtype: Any) -> None:
    hasher.mark(b"t", dtype.itemsize)
    hasher.text(f"{dtype!r} {dtype.str} {dtype.type.__module__}.{dtype.type.__qualname__} {dtype.alignment}")
    walk.put(hasher, None if dtype.metadata is None else dict(dtype.metadata))
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        _dtype(walk, hasher, base)
        walk.put(hasher, shape)
    for name in dtype.names or ():
        field, offset, *title = dtype.fields[name]
        walk.items(hasher, (name, offset, *title))
        _dtype(walk, hasher, field)


def _numbers(walk: Walk, hasher: Hasher, array: Any) -> None:
    if array.dtype.names is not None:  # bytes between fields are undefined
        for name in array.dtype.names:
            _numbers(walk, hasher, array[name])
    elif array.dtype.hasobject or array.dtype.kind == "T":
        cells = array.reshape(-1) if array.flags.c_contiguous else array.flat
        walk.items(hasher, (cells[at] for at in range(array.size)), lambda at: _position(array, at))
    elif array.flags.c_contiguous:
        hasher.buffer(array.reshape(-1).view(np.uint8) if array.size and array.itemsize else b"")
    else:
        _strided(hasher, array)


def _strided(hasher: Hasher, array: Any) -> None:
    """Write an array that is not contiguous, as contiguous pieces."""
    hasher.mark(b"b", array.nbytes)
    if array.nbytes > 4 << 20:
        whole = Hasher()
        for piece in _pieces(array):
            whole.write(piece)
        hasher.write(whole.digest())
    else:
        for piece in _pieces(array):
            hasher.write(piece)


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


def _ufunc(walk: Walk, hasher: Hasher, function: Any) -> None:
    """Write a ufunc by its name, or by the Python function that np.frompyfunc was given."""
    hasher.mark(b"U")
    hasher.text(function.__name__)
    if getattr(np, function.__name__, None) is function:
        return
    made_of = [part for part in gc.get_referents(function) if callable(part)]
    if not made_of:
        raise refuse(function)
    walk.items(hasher, [*made_of, function.nin, function.nout, function.identity])


def _vectorized(walk: Walk, hasher: Hasher, value: Any) -> None:
    hasher.mark(b"V")
    walk.put_at(hasher, ".pyfunc", value.pyfunc)
    walk.items(hasher, [value.otypes, value.signature, value.excluded, value.cache])
