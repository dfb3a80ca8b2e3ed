"""numpy arrays: any dtype of plain memory goes out-of-band, also where pickle would copy it.

pickle copies datetimes, timedeltas, structures that contain them, strided arrays and subclasses into the
stream. Here each array is a view of its bytes, a dtype, a shape and an order.
"""

from __future__ import annotations

import copyreg
import pickle
from typing import Any

import numpy as np

from dash_brain.codec.adapters.objects import reduce_objects
from dash_brain.codec.reducers import Reducer, added
from dash_brain.codec.stable import named

Array = np.ndarray[Any, Any]

# The type numbers of numpy's own dtypes end here. Others (numpy.dtypes.StringDType, bfloat16) may keep
# more than their visible bytes: those are left to numpy's own pickling.
_OWN_DTYPES = 24

#: Arrays of a subclass are made by that class, which may be anybody's.
SURE = (np.generic, np.dtype, np.ndarray)


def reducer(cls: type) -> Reducer | None:
    """Return the reducer for an array type, or None where the type's own pickling is right."""
    if cls is np.ndarray:
        return _reduce_array
    if cls is np.ma.MaskedArray:
        return _reduce_masked
    if issubclass(cls, np.ndarray) and _pickles_as_ndarray(cls):
        return _reduce_subclass
    return None


def _pickles_as_ndarray(cls: type) -> bool:
    names = ("__reduce__", "__reduce_ex__", "__setstate__")
    return all(getattr(cls, name) is getattr(np.ndarray, name) for name in names)


def _reduce_array(array: Array) -> str | tuple[Any, ...]:
    if array.dtype.num == 17:  # object
        return reduce_objects(array)
    if not _is_plain_memory(array.dtype):
        return array.__reduce_ex__(5)
    return new_array, _parts(array)


def _reduce_subclass(array: Array) -> str | tuple[Any, ...]:
    # A memmap's attributes describe its file; as numpy does, it is stored as a mere array of that type.
    attributes = None if isinstance(array, np.memmap) else _attributes(array)
    rest = attributes or None, None, None, set_attributes
    if _is_plain_memory(array.dtype):
        return new_subclass, (type(array), *_parts(array.view(np.ndarray))), *rest
    if attributes:  # numpy's own pickling forgets them
        return seen_as, (type(array), array.view(np.ndarray)), *rest
    return array.__reduce_ex__(5)


def _attributes(array: Array) -> dict[str, Any]:
    slots = [name for name in copyreg._slotnames(type(array)) if hasattr(array, name)]  # type: ignore[attr-defined]
    return {**{name: getattr(array, name) for name in slots}, **getattr(array, "__dict__", {})}


#: Attributes of masked arrays themselves.
OF_MASKED = frozenset(vars(np.ma.masked_array([0])))


def _reduce_masked(array: np.ma.MaskedArray[Any, Any]) -> tuple[Any, ...]:
    # numpy's own pickling turns "no mask" into a mask and forgets that a mask is hard.
    mask = None if array._mask is np.ma.nomask else array._mask  # type: ignore[attr-defined]
    hard = bool(array.hardmask)
    fill = array._fill_value  # type: ignore[attr-defined]
    parts = array.data, mask, fill, hard, array._optinfo or None  # type: ignore[attr-defined]
    return new_masked, parts, added(array, OF_MASKED), None, None, set_attributes


def _is_plain_memory(dtype: np.dtype[Any]) -> bool:
    return dtype.num < _OWN_DTYPES and not dtype.hasobject and dtype.itemsize > 0


def _parts(array: Any) -> tuple[Any, ...]:
    """Return buffer, dtype, shape and order of an array, copying it only if its memory has holes."""
    flags = array.flags
    if not flags.forc:
        # Keep the direction of the strides, so that the copy runs along the memory.
        transposed = array.ndim > 1 and abs(array.strides[0]) < abs(array.strides[-1])
        order = "F" if transposed else "C"
        # A structure as mere bytes: numpy's copy leaves what lies between its fields to chance.
        whole = array.view(f"V{array.dtype.itemsize}") if array.dtype.num == 20 else array
        array = whole.copy(order=order).view(array.dtype)
        flags = array.flags
    order = "C" if flags.c_contiguous else "F"
    return pickle.PickleBuffer(_raw(array, order)), _spelled(array.dtype), array.shape, order


def _spelled(dtype: np.dtype[Any]) -> Any:
    """Return the shortest exact spelling: a string where the dtype is nothing but a type code."""
    bare = dtype.num != 20 and dtype.metadata is None and dtype.fields is None
    return dtype.str if bare else dtype


def _raw(array: Any, order: Any) -> Any:
    """Return the bytes of a contiguous array as a writable view."""
    flat = array.reshape(-1, order=order).view(np.uint8)
    return flat if flat.flags.writeable else np.asarray(_Writable(flat))


class _Writable:
    """The memory of a read-only array, declared writable.

    pickle marks a read-only buffer in the stream and gives it back read-only, although the reader's
    memory is private. Nobody writes through this view.
    """

    def __init__(self, flat: Array) -> None:
        self._kept_alive = flat
        address = flat.__array_interface__["data"][0]
        self.__array_interface__ = {
            "version": 3,
            "shape": flat.shape,
            "typestr": "|u1",
            "data": (address, False),
        }


@named("array")
def new_array(buffer: Any, dtype: Any, shape: tuple[int, ...], order: Any) -> Array:
    """Return an array that views the buffer."""
    return np.ndarray(shape, dtype, buffer, 0, None, order)


@named("array_of")
def new_subclass(cls: Any, buffer: Any, dtype: Any, shape: tuple[int, ...], order: Any) -> Array:
    """Return an array of a subclass that views the buffer."""
    array: Array = np.ndarray.__new__(cls, shape, dtype, buffer, 0, None, order)
    return array


@named("array_seen_as")
def seen_as(cls: Any, array: Array) -> Array:
    """Return an array as one of a subclass."""
    return array.view(cls)


@named("array_attributes")
def set_attributes(array: Array, attributes: dict[str, Any]) -> None:
    """Give an array of a subclass its attributes back, or a frame those that were set on it."""
    slots = copyreg._slotnames(type(array))  # type: ignore[attr-defined]
    for name, value in attributes.items():
        if name in slots:
            object.__setattr__(array, name, value)
        else:
            array.__dict__[name] = value


@named("masked")
def new_masked(data: Array, mask: Any, fill: Any, hard: bool, notes: Any) -> Any:
    """Return a masked array over data and mask."""
    array: Any = np.ma.MaskedArray(data, mask=np.ma.nomask if mask is None else mask, hard_mask=hard)
    array._fill_value = fill
    array._optinfo.update(notes or {})
    return array
