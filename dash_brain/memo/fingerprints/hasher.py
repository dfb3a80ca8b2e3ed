"""A hash that is written piece by piece, and the encoding of atoms: values without parts.

Each item is written with its type and its length, so that different values never give the same bytes:
 ``1``, ``1.0``, ``True``, ``"1"`` and ``b"1"`` differ, and so do ``["ab"]`` and ``["a", "b"]``.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Callable
from itertools import chain
from typing import Any

from blake3 import blake3

#: Bytes that are buffered before they are hashed; and characters that are encoded at once.
_PIECE = 1 << 16

#: Buffers from this size on are hashed by two threads, which takes half the time.
_LARGE = 4 << 20

#: Strings and bytes from this length on are hashed once, however often they occur.
LONG = 1 << 10

#: Bytes of a digest.
DIGEST = 32

_length = struct.Struct("<Q").pack


class Hasher:
    """Hashes the parts of a value; its digest has 256 bits."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._hash: Any = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes whose type and length are known from what was added before."""
        if len(data) >= _PIECE:  # without a copy
            self._flush()
            self._hash.update(data)
            return
        self._begun += data
        if len(self._begun) >= _PIECE:
            self._flush()

    def mark(self, kind: bytes, number: int = 0) -> None:
        """Add a tag of one byte, and a number such as a length."""
        self.write(kind + _length(number))

    def text(self, text: str) -> None:
        """Add a string, however long it is."""
        self.mark(b"s", len(text))
        for start in range(0, len(text), _PIECE):
            self.write(text[start : start + _PIECE].encode("utf-8", "surrogatepass"))

    def buffer(self, data: Any) -> None:
        """Add the content of a contiguous buffer, without a copy."""
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        self.mark(b"b", view.nbytes)
        if view.nbytes < _PIECE:
            self.write(view)
        elif view.nbytes < _LARGE:
            self._flush()
            self._hash.update(view)
        else:
            # Own threads, which end with this hash: a shared pool of threads would not survive a fork.
            self.write(blake3(view, max_threads=2).digest())

    def digest(self) -> bytes:
        """Return the digest of all that was added."""
        if self._hash is None:
            return blake3(self._begun).digest()
        self._flush()
        digest: bytes = self._hash.digest()
        return digest

    def _flush(self) -> None:
        self._hash = self._hash or blake3()
        self._hash.update(self._begun)
        self._begun = bytearray()


def _bytes(hasher: Hasher, value: Any) -> None:
    hasher.mark(b"B" if type(value) is bytearray else b"y")
    hasher.buffer(value)


def _marshalled(hasher: Hasher, value: Any, tag: bytes = b"m") -> None:
    # Version 2 of the format has no back references, and writes floats exactly.
    data = marshal.dumps(value, 2)
    hasher.mark(tag, len(data))
    hasher.write(data)


#: How to write atoms, by exact type.
ATOMS: dict[type, Callable[[Hasher, Any], None]] = {
    type(None): _marshalled,
    bool: _marshalled,
    int: _marshalled,
    float: _marshalled,
    complex: _marshalled,
    type(...): _marshalled,
    type(NotImplemented): lambda hasher, value: hasher.mark(b"!"),
    str: Hasher.text,
    bytes: _bytes,
    bytearray: _bytes,
}

_NUMBERS = frozenset([type(None), bool, int, float, complex])
TEXTS = frozenset([str, bytes])
_PLAIN = _NUMBERS | TEXTS
_CONTAINERS = frozenset([list, tuple, dict])

#: Depth of containers, and number of elements, up to which they are written at once.
_DEPTH, _MANY = 4, 1 << 14


def write_plain(hasher: Hasher, values: Any, *parts: Any, tag: bytes = b"m") -> set[type] | None:
    """Write a container, whose ``parts`` are these, at once if it holds short atoms, or containers of such.

    Returns the types of what is in it, or None when it was not written.
    """
    met: set[type] = set()
    for some in parts:
        kinds = _plain_kinds(some, _DEPTH)
        if kinds is None:
            return None
        met |= kinds
    _marshalled(hasher, values, tag)
    return met


def _plain_kinds(values: Any, depth: int) -> set[type] | None:
    """Return the types of values, and of those in them; None when marshal cannot write all exactly."""
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        return kinds
    if not kinds <= _PLAIN | _CONTAINERS or (kinds & TEXTS and not _are_short(values, kinds)):
        return None
    if kinds <= _PLAIN:
        return kinds
    inner = [value for value in values if type(value) in _CONTAINERS]
    if not depth or sum(map(len, inner)) > _MANY:
        return None
    dicts = [value.values() for value in inner if type(value) is dict] if dict in kinds else []
    below = _plain_kinds(list(chain.from_iterable(inner + dicts)), depth - 1)
    return None if below is None else kinds | below


def _are_short(values: Any, kinds: set[type]) -> bool:
    texts = values if kinds <= TEXTS else [value for value in values if type(value) in TEXTS]
    return max(map(len, texts), default=0) < LONG
