"""What was looked for in vain need not be looked for again at once."""

from __future__ import annotations

import time

#: Seconds after which all objects are looked at anew, though nothing could go the last time.
_IN_VAIN = 1.0


class Search:
    """The last search among all objects for bytes that may go."""

    def __init__(self) -> None:
        self._when, self._least = -_IN_VAIN, 0
        self._besides, self._spared = "", 0

    def note(self, lacking: int, besides: str = "", spared: int = 0) -> None:
        """Note that all objects were looked at, and so many bytes of them could not go.

        What lies under the path ``besides`` was to stay, and takes the bytes that were ``spared``.
        """
        self._when, self._least = time.monotonic(), lacking
        self._besides, self._spared = besides, spared

    def was_in_vain(self, lacking: int, besides: str = "") -> bool:
        """Say whether looking for so many bytes, or for fewer, was in vain a moment ago."""
        least = self._least if besides == self._besides else self._least + self._spared
        return lacking >= least and time.monotonic() - self._when < _IN_VAIN
