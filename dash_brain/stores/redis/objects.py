"""An object on its way to Redis and back: a body in chunks, and a manifest that is sealed.

The body is the frames one after the other, each at a multiple of 64 bytes. The manifest has their lengths,
the hash of the body, the bucket where that lies unless in Redis, and what else was put; the seal
authenticates the manifest for its place and object id. So a value is what was put there, whole, or it is
refused before a byte of it is loaded.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from itertools import accumulate

from blake3 import blake3

from dash_brain.common.signing import KeyRing
from dash_brain.errors import DecodeError
from dash_brain.stores.base import Frames, ObjectInfo, new_object_id
from dash_brain.stores.faults import shown
from dash_brain.stores.redis.chunks import CHUNK
from dash_brain.stores.redis.parts import Altered, Parts

#: Bytes of a part in a bucket.
PART = 8 << 20
#: Bodies of so many bytes and more lie in a bucket, if there is one: below, Redis is faster and no more dear.
LARGE = 1 << 20
#: Bodies of so many bytes lie beside their manifest, and come with it in one answer.
INLINE = 256 << 10

_ALIGNMENT = 64
_LABEL = "redis object"
#: As the script writes it.
_RECORD = re.compile(rb"[0-9a-f]{32} \d+ b?\d+ \d+ \d+ \d+")
#: The lengths of what comes before a manifest: the object id, the name of the key, and what that signed.
_ID, _KID, _MAC = 32, 8, 32


@dataclass(frozen=True)
class Upload:
    """An object that is to be put: its body is still that of the caller, and nothing is copied."""

    object_id: str
    manifest: bytes
    frames: list[memoryview]
    length: int
    #: The bucket where the body is to lie; None: in Redis.
    bucket: str | None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in the store."""
        return self.length + len(self.manifest)

    @property
    def in_redis(self) -> int:
        """Those of them that it takes in Redis."""
        return len(self.manifest) if self.bucket else self.nbytes

    @property
    def count(self) -> int:
        """How many parts it has; none: it is small, and its body lies beside the manifest."""
        return 0 if self.length <= INLINE and not self.bucket else -(-self.length // self._size)

    def body(self) -> bytes:
        """Return the body of a small object."""
        return b"".join(_pieces(self.frames))

    def parts(self) -> Iterator[bytes | memoryview]:
        """Yield the parts of a larger one."""
        return _cut(_pieces(self.frames), self._size)

    @property
    def _size(self) -> int:
        return PART if self.bucket else CHUNK


def sealed(
    keys: KeyRing,
    namespace: str,
    key: str,
    frames: Frames,
    meta: Mapping[str, str] | None,
    bucket: str | None = None,
) -> Upload:
    """Return what has to be sent so that these frames lie there; large ones in this bucket."""
    views = [memoryview(frame).cast("B") for frame in frames]
    if not views:
        raise ValueError("An object has at least one frame, its stream.")
    lengths = [len(view) for view in views]
    length = sum(map(_padded, lengths))
    bucket = bucket if length >= LARGE else None
    digest = blake3(max_threads=2 if length > INLINE else 1)  # a second thread costs more than a small one
    for piece in _pieces(views):
        digest.update(piece)
    facts = {"frames": lengths, "body": digest.hexdigest(), "meta": dict(meta or {}), "bucket": bucket}
    manifest, object_id = json.dumps(facts).encode(), new_object_id()
    mac = keys.newest.mac(_LABEL, namespace, key, object_id, manifest)
    seal = object_id.encode() + keys.newest.kid.encode() + mac
    return Upload(object_id, seal + manifest, views, length, bucket)


class Changed(Exception):
    """The record is of another object than what lies there: replaced in between, or forged."""


class Incoming:
    """An object that comes from Redis; nothing of it is given out before it was verified.

    ``found``: its record, its manifest and its body, as ``store.lua`` says. The record, which has its
    lifetimes and its size, is the bookkeeping's, and not signed.

    Raises
    ------
    Changed
        When record and manifest are those of two objects.
    DecodeError
        When the manifest is not authentic, or was put with a key that this process has not.
    """

    def __init__(self, keys: KeyRing, namespace: str, key: str, found: Sequence[bytes]) -> None:
        self._record, sealed, self._body = found
        self._namespace, self._key = namespace, key
        object_id = sealed[:_ID]
        if not (_RECORD.fullmatch(self._record) and self._record.startswith(object_id)):
            raise Changed
        self.object_id = object_id.decode("ascii", "replace")
        facts = json.loads(self._opened(keys, sealed).decode())
        self._lengths: list[int] = facts["frames"]
        self._length = sum(map(_padded, self._lengths))
        self._digest: str = facts["body"]
        self._meta: dict[str, str] = facts["meta"]
        #: The bucket where the body lies; None: in Redis.
        self.bucket: str | None = facts["bucket"]

    def _opened(self, keys: KeyRing, sealed: bytes) -> bytes:
        """Return the manifest, which is authentic."""
        kid, mac = sealed[_ID : _ID + _KID], sealed[_ID + _KID : _ID + _KID + _MAC]
        manifest = sealed[_ID + _KID + _MAC :]
        signed = keys.find(kid.decode("ascii", "replace"))
        if signed is None:
            raise DecodeError(
                f"The value of {shown(self._key)} was put by a process with another key. Give all of them "
                "the same: DASH_BRAIN_KEY, or configure(key=...); while a key is replaced, the old one too."
            )
        if not compare_digest(signed.mac(_LABEL, self._namespace, self._key, self.object_id, manifest), mac):
            raise forged(self._key)
        return manifest

    @property
    def info(self) -> ObjectInfo:
        """What is known of it."""
        _, nbytes, _, created, used, expires = self._record.split()
        return ObjectInfo(
            namespace=self._namespace,
            key=self._key,
            object_id=self.object_id,
            nbytes=int(nbytes),
            created=int(created) / 1000,
            used=int(used) / 1000,
            expires=int(expires) / 1000 or None,
            meta=self._meta,
        )

    @property
    def is_small(self) -> bool:
        """Whether the body came along."""
        return self._length <= INLINE and not self.bucket

    def frames(self) -> Frames:
        """Return the frames of a small object; ``DecodeError`` when its body is another."""
        whole = memoryview(bytearray(self._body))
        self._verify(blake3(whole))
        return self._parted(whole)

    def fetched(self, parts: Parts) -> Frames:
        """Return the frames of a larger one, whose parts lie there."""
        whole, digest = memoryview(_memory(self._length)), blake3()
        step = parts.at_once * parts.size
        for first in range(0, self._length, step):
            starts = range(first, min(first + step, self._length), parts.size)
            views = [whole[start : start + parts.size] for start in starts]
            try:
                # What is given out is hashed, which nobody else can change.
                digest = parts.receive(self.object_id, first // parts.size, views, digest)
            except Altered:
                raise forged(self._key) from None
        self._verify(digest)
        return self._parted(whole)

    def _verify(self, digest: blake3) -> None:
        if digest.hexdigest() != self._digest:
            raise forged(self._key)

    def _parted(self, whole: memoryview) -> Frames:
        starts = accumulate(map(_padded, self._lengths), initial=0)
        return [whole[start : start + length] for start, length in zip(starts, self._lengths, strict=False)]


def forged(key: str) -> DecodeError:
    """Return the error for bytes that are not those that were put."""
    return DecodeError(
        f"The stored bytes of {shown(key)} are not those that were put; nothing was loaded. Something else "
        "writes into this Redis or its bucket, or changes what is sent: use rediss:// and a password."
    )


def _memory(length: int) -> mmap.mmap:
    """Return memory of this process alone, in large pages if the system has some: those of 4 KB take as long
    as what is received."""
    memory = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _padded(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT


def _pieces(frames: list[memoryview]) -> Iterator[memoryview | bytes]:
    for frame in frames:
        yield frame
        if len(frame) % _ALIGNMENT:
            yield bytes(-len(frame) % _ALIGNMENT)


def _cut(pieces: Iterable[memoryview | bytes], size: int) -> Iterator[bytes | memoryview]:
    """Yield pieces anew, each but the last of ``size`` bytes; what lies within one piece is not copied."""
    pending: list[memoryview | bytes] = []
    room = size
    for piece in pieces:
        while len(piece) >= room:
            pending.append(piece[:room])
            piece, room = piece[room:], size
            yield pending[0] if len(pending) == 1 else b"".join(pending)
            pending = []
        if piece:
            pending.append(piece)
            room -= len(piece)
    if pending:
        yield pending[0] if len(pending) == 1 else b"".join(pending)
