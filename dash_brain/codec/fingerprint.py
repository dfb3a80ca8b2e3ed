"""Frames -> hash."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dash_brain.common.frames import Frames


def fingerprint(frames: Frames) -> str:
    """Return a hash of the frames' whole content: 128 bits as 32 lowercase hex digits.

    Equal fingerprints mean equal content. The reverse does not hold: equal values may be pickled in
    different ways, for instance when one of them shares objects and the other has copies.

    Parameters
    ----------
    frames
        What ``encode`` returned.

    Examples
    --------
    >>> from dash_brain.codec import encode
    >>> fingerprint(encode("a")) == fingerprint(encode("a"))
    True
    >>> fingerprint([b"ab", b"c"]) == fingerprint([b"a", b"bc"])
    False
    """
    digest = blake2b(digest_size=16)
    for frame in frames:
        # The length in front of each frame keeps ["ab", "c"] apart from ["a", "bc"].
        digest.update(memoryview(frame).nbytes.to_bytes(8, "little"))
        digest.update(frame)
    return digest.hexdigest()
