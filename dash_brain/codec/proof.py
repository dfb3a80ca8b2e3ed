"""Check that an encoded value can be rebuilt, before it is stored, where that can fail.

The types that adapters mark as ``SURE``, and classes whose objects Python itself rebuilds by setting their
attributes, are not checked: so a frame costs nothing here. A value with parts of other classes is rebuilt
once, from views of its own buffers, so that only its small parts cost time.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from typing import TYPE_CHECKING, Any

from dash_brain.codec.reducers import Reducers, adapter_of, by_itself, known, library_of, registered

if TYPE_CHECKING:
    from dash_brain.common.frames import Frames

#: Modules whose types can certainly be rebuilt; what their objects hold is asked about on its own.
_SURE_MODULES = {
    "collections",
    "dash_brain.codec.adapters.objects",
    "datetime",
    "decimal",
    "fractions",
    "ipaddress",
    "re",
    "uuid",
    "zoneinfo",
}
_SURE_TYPES = (complex, range, slice, type(...), type(NotImplemented))

#: Functions of C libraries: pickle itself looks whether they are found by their name.
_FUNCTIONS = {"builtin_function_or_method", "cython_function_or_method", "_ArrayFunctionDispatcher"}

#: With which a class takes part in being rebuilt.
_HOOKS = (
    "__getattr__",
    "__getattribute__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__getstate__",
    "__new__",
    "__reduce__",
    "__reduce_ex__",
    "__setattr__",
    "__setstate__",
)


class Lost(Exception):
    """Objects of a class are rebuilt as something else."""


def doubtful(met: Reducers) -> set[type]:
    """Return those of the types that were met whose objects may fail to be rebuilt."""
    others = met.keys() - known
    if not others:
        return set()
    sure = set(filter(_is_sure, others))
    known.update((cls, met[cls]) for cls in sure if cls not in copyreg.dispatch_table)
    return {cls for cls in others - sure if met[cls] is not by_itself or not _is_plain(cls)}


def trouble(frames: Frames, classes: set[type]) -> Exception | None:
    """Return why the frames cannot be rebuilt, or None when they can.

    Parameters
    ----------
    frames
        What was encoded.
    classes
        Types of which there must be objects in the rebuilt value too.
    """
    try:
        rebuilt = _rebuilt(frames)
        lost = classes - _types_in(rebuilt)
    except MemoryError:
        raise
    except BaseException as error:
        if not is_fault(error):
            raise
        return error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
    return Lost() if lost else None


def is_fault(error: BaseException) -> bool:
    """Tell a failure of the code that ran from an interruption.

    Libraries in Rust raise their panics as ``PanicException``, each its own, which is no ``Exception``.
    """
    panic = any(cls.__name__ == "PanicException" for cls in type(error).__mro__)
    return panic or isinstance(error, Exception)


def _rebuilt(frames: Frames) -> Any:
    """Return the value, without a chance for anybody's code to write into the original."""
    stream, *buffers = frames
    try:
        return pickle.loads(stream, buffers=[memoryview(buffer).toreadonly() for buffer in buffers])
    except ValueError:  # some classes write into their arrays at once
        return pickle.loads(stream, buffers=[bytearray(buffer) for buffer in buffers])


def _types_in(value: Any) -> set[type]:
    pickler = pickle.Pickler(io.BytesIO(), 5, buffer_callback=lambda buffer: None)
    pickler.dispatch_table = met = Reducers()
    pickler.dump(value)
    return set(met)


def _is_sure(cls: type) -> bool:
    """Say whether a type of Python or of a library can certainly be rebuilt."""
    if cls in registered:
        return False
    if cls in _SURE_TYPES or cls.__module__ in _SURE_MODULES or cls.__name__ in _FUNCTIONS:
        return True
    adapter = adapter_of(library_of(cls))
    return adapter is not None and issubclass(cls, adapter.SURE)


def _is_plain(cls: type) -> bool:
    """Say whether Python rebuilds objects of a class without asking it, and no dict or set does either."""
    if cls.__base__ is not object and not all(base.__flags__ & 1 << 9 for base in cls.__mro__[:-1]):
        return False  # its memory is not that of Python's objects
    hooked = any(getattr(cls, name, None) is not getattr(object, name, None) for name in _HOOKS)
    hashed: Any = cls.__hash__
    return not hooked and hashed in (None, object.__hash__)
