"""Frames: what the codec makes of a value, and what a store keeps. Neither of the two knows the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

#: One frame: C-contiguous, one-dimensional bytes.
Frame: TypeAlias = "bytes | bytearray | memoryview"

#: What a value encodes to. The first frame is the stream, the others are its out-of-band buffers.
Frames: TypeAlias = Sequence[Frame]
