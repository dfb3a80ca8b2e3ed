"""The bytes of one object, and the seal that tells an authentic one from any other bytes.

::

    header | meta | buffer table | stream | padding | buffer | padding | buffer ...

Buffers begin at multiples of 64 bytes. The seal is a keyed MAC over the place (namespace and key), the
header, meta and table; the header carries a digest of the stream. So the seal covers everything that is
ever unpickled, and ``info`` can check it without reading a long stream. The out-of-band buffers are plain
data to whoever reads them, and hashing them would make a read cost what a copy costs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from mmap import mmap
from typing import NamedTuple

from dash_brain.errors import DecodeError
from dash_brain.stores.base import Frame, Frames

MAGIC = b"dbrn"
VERSION = 1
ALIGNMENT = 64

#: Header, meta and table together never take more; the lengths of a hostile file are held to it.
LONGEST_HEAD = 64 << 20

# magic, version, object id, created, bytes of all, bytes of meta, buffers, bytes of the stream, its digest
_FIELDS = struct.Struct("<4sI16sdQIIQ32s")
_MAC_SIZE = 32
HEADER_SIZE = _FIELDS.size + _MAC_SIZE

_PADDING = bytes(ALIGNMENT)
_BAD = "The stored bytes are not an authentic object of this store; forget the value and learn it anew."


def bad_object(cause: object = None) -> DecodeError:
    """Return the one error for all bytes that are not ours."""
    return DecodeError(_BAD if cause is None else f"{_BAD} ({cause})")


@dataclass(frozen=True)
class Label:
    """What an object says of itself besides its value.

    ``key`` and ``namespace`` are there only when the path of the file cannot carry them.
    """

    meta: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    namespace: str | None = None

    def to_bytes(self) -> bytes:
        """Return the label as ASCII JSON, without what is not there; nothing at all when it is empty."""
        parts = {"meta": dict(self.meta), "key": self.key, "namespace": self.namespace}
        said = {name: part for name, part in parts.items() if part not in (None, {})}
        return json.dumps(said).encode("ascii") if said else b""

    @classmethod
    def from_bytes(cls, raw: bytes) -> Label:
        """Return the label that ``raw``, whose seal was verified, holds."""
        return cls(**json.loads(raw)) if raw else cls()


class Seal:
    """Makes the MACs of one store.

    Parameters
    ----------
    secret
        The 32 secret bytes of the store.
    """

    def __init__(self, secret: bytes) -> None:
        key = hashlib.blake2b(b"object seal 1", key=secret, digest_size=32).digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=_MAC_SIZE)

    def mac(self, place: str, fields: Frame, rest: Frame) -> bytes:
        """Return the MAC of a head, without its own place for it, that lies at ``place``."""
        mac = self._keyed.copy()
        # A path has no NUL, so no part of it can pass for a part of the fields.
        mac.update(b"\0".join((place.encode("ascii"), fields)))
        mac.update(rest)
        return mac.digest()


class Head(NamedTuple):
    """Header, meta and table of an object whose seal was verified."""

    object_id: bytes
    created: float
    label: memoryview
    lengths: tuple[int, ...]
    stream_start: int
    stream_end: int
    stream_digest: bytes


def compose(
    frames: Frames, place: str, label: bytes, object_id: bytes, created: float, seal: Seal
) -> list[Frame]:
    """Return the pieces to be written one after the other."""
    if not frames:
        raise ValueError("An object has at least one frame, its stream.")
    # Most values are one frame, and most puts are small: they call no function that they do not need.
    stream, *buffers = frames if len(frames) == 1 and type(frames[0]) is bytes else map(_flat, frames)
    rest = label + struct.pack(f"<{len(buffers)}Q", *map(len, buffers)) if buffers else label
    start = HEADER_SIZE + len(rest)
    if start > LONGEST_HEAD:
        raise ValueError("The meta, the key and the list of buffers are too long to be stored.")
    body = _aligned(start, stream, buffers) if buffers else [stream]
    size = start + sum(map(len, body))
    digest = hashlib.blake2b(stream, digest_size=32).digest()
    fields = _FIELDS.pack(
        MAGIC, VERSION, object_id, created, size, len(label), len(buffers), len(stream), digest
    )
    return [b"".join((fields, seal.mac(place, fields, rest), rest)), *body]


def read_object(raw: bytearray | memoryview | mmap, place: str, seal: Seal) -> list[memoryview]:
    """Return the frames in ``raw``, as views of it, after their seal was verified."""
    view = memoryview(raw)
    # A plain tuple, since each small read comes here: to make a Head takes as long as to verify one.
    _, _, _, lengths, start, at, digest = _verified(view, len(raw), place, seal)
    stream = view[start:at]
    if not hmac.compare_digest(hashlib.blake2b(stream, digest_size=32).digest(), digest):
        raise bad_object()
    frames = [stream]
    for length in lengths:
        at += -at % ALIGNMENT
        frames.append(view[at : at + length])
        at += length
    return frames


def read_head(raw: memoryview, size: int, place: str, seal: Seal) -> Head:
    """Return what ``raw``, the head of an object of ``size`` bytes, says, after its seal was verified."""
    return Head(*_verified(raw, size, place, seal))


def _verified(
    raw: memoryview, size: int, place: str, seal: Seal
) -> tuple[bytes, float, memoryview, tuple[int, ...], int, int, bytes]:
    """Return the attributes of a head."""
    _, _, object_id, created, _, label, buffers, stream, digest = _fields(raw, size)
    end = HEADER_SIZE + label + 8 * buffers
    rest = raw[HEADER_SIZE:end]
    mac = seal.mac(place, raw[: _FIELDS.size], rest)
    if not hmac.compare_digest(mac, raw[_FIELDS.size : HEADER_SIZE]):
        raise bad_object()
    lengths = struct.unpack_from(f"<{buffers}Q", rest, label) if buffers else ()
    if (_end(end + stream, lengths) if lengths else end + stream) != size:
        raise bad_object("its buffers do not fit")
    return object_id, created, rest[:label], lengths, end, end + stream, digest


def head_size(raw: Frame, size: int) -> int:
    """Return how many bytes header, meta and table of the object of ``size`` bytes take.

    ``raw`` holds at least the header; its lengths are checked against ``size``, not believed.
    """
    _, _, _, _, _, label, buffers, _, _ = _fields(raw, size)
    return HEADER_SIZE + label + 8 * buffers


def _fields(raw: Frame, size: int) -> tuple[bytes, int, bytes, float, int, int, int, int, bytes]:
    """Return the fields of a header, whose lengths are checked against the ``size`` of the object."""
    if len(raw) < HEADER_SIZE:
        raise bad_object("too short")
    fields = _FIELDS.unpack_from(raw)
    magic, version, _, _, total, label, buffers, stream, _ = fields
    if magic != MAGIC or version != VERSION:
        raise bad_object("not an object, or one of another version")
    head = HEADER_SIZE + label + 8 * buffers
    if total != size or head > LONGEST_HEAD or head + stream > size:
        raise bad_object("its lengths do not fit")
    return fields


def said_created(raw: Frame) -> float:
    """Return when an object says that it was put, in seconds since the epoch; 0 when it is none.

    Nothing is verified: good for a message, and for nothing else.
    """
    if len(raw) < HEADER_SIZE or bytes(raw[: len(MAGIC)]) != MAGIC:
        return 0.0
    created: float = _FIELDS.unpack_from(raw)[3]
    return created


def said_object_id(raw: Frame) -> str:
    """Return the id that an object says it has; like ``said_created`` nothing is verified."""
    return bytes(raw[8:24]).hex()


def _end(at: int, lengths: Iterable[int]) -> int:
    for length in lengths:
        at += -at % ALIGNMENT + length
    return at


def _aligned(at: int, stream: Frame, buffers: Iterable[Frame]) -> list[Frame]:
    pieces = [stream]
    at += len(stream)
    for buffer in buffers:
        padding = -at % ALIGNMENT
        pieces += (_PADDING[:padding], buffer)
        at += padding + len(buffer)
    return pieces


def _flat(frame: Frame) -> Frame:
    if type(frame) is bytes:
        return frame
    view = memoryview(frame)
    return view if view.ndim == 1 and view.format == "B" else view.cast("B")
