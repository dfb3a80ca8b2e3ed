"""What was looked for in vain need not be looked for again at once."""

from __future__ import annotations

import time

#: Seconds after which all objects are looked at anew, though nothing could go the last time.
_IN_VAIN = 1.0


class Search:
    """The last search among all objects for bytes that may go."""

    def __init__(self) -> None:
        self._last = -_IN_VAIN, 0

    def note(self, lacking: int) -> None:
        """Note that all objects were looked at, and so many bytes of them could not go."""
        self._last = time.monotonic(), lacking

    def was_in_vain(self, lacking: int) -> bool:
        """Say whether looking for so many bytes, or for fewer, was in vain a moment ago."""
        when, least = self._last
        return lacking >= least and time.monotonic() - when < _IN_VAIN
