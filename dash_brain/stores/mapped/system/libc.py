"""What Python does not offer of libc: a map at a given address, and copying without the interpreter's lock.

Only 64-bit Linux is asked; elsewhere, and where Python has no ``ctypes``, nothing of this is :func:`usable`.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dash_brain.stores.base import Frame

_log = logging.getLogger("dash_brain")

_READ_WRITE, _FIXED = 0x3, 0x10
_COLLAPSE = 25


class _Buffer(ctypes.Structure):
    """``Py_buffer``: the only way to the address of what may not be written to."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


@functools.cache
def _library() -> ctypes.CDLL | None:
    if sys.platform != "linux" or sys.maxsize < 1 << 32:
        return None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [
            *(ctypes.c_void_p, ctypes.c_size_t),
            *(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long),
        ]
        libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        ctypes.pythonapi.PyObject_GetBuffer.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_int]
        ctypes.pythonapi.PyBuffer_Release.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError) as error:
        _log.debug("Values are mapped as Python does it, for libc cannot be called: %s.", error)
        return None
    return libc


def usable() -> bool:
    """Say whether the functions of this module can be called here."""
    return _library() is not None


def map_over(address: int, nbytes: int, flags: int, file: int) -> bool:
    """Map a file over what is mapped at an address, and say whether that succeeded."""
    libc = _library()
    assert libc is not None
    found: int | None = libc.mmap(address, nbytes, _READ_WRITE, flags | _FIXED, file, 0)
    return found == address


def collapse(address: int, nbytes: int) -> None:
    """Make large pages of the pages of a map; raises OSError when not all of it has large pages then."""
    libc = _library()
    assert libc is not None
    if libc.madvise(address, nbytes, _COLLAPSE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def address_of(writable: object) -> int:
    """Return where the bytes of a buffer lie that may be written to."""
    return ctypes.addressof(ctypes.c_char.from_buffer(writable))  # type: ignore[arg-type]


def copy(address: int, source: Frame) -> None:
    """Copy bytes to an address; other threads run meanwhile."""
    with _address_of_any(source) as start:
        ctypes.memmove(address, start, len(source))


@contextmanager
def _address_of_any(source: Frame) -> Iterator[int]:
    buffer = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(source, ctypes.byref(buffer), 0)
    try:
        yield buffer.buf
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))


def keep_for_ever(thing: object) -> None:
    """Never let an object be freed, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
