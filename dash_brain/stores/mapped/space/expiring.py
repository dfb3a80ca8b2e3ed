"""Large objects that expire: a put finds them without a walk over all objects, and reuses their pages.

New pages cost the kernel a multiple of the copy, and a sweep is far away. So each process notes those that it
gave a time to live itself, as it does for what a page let go of.
"""

from __future__ import annotations

from contextlib import suppress

#: Objects that are noted; others wait for a sweep.
_MOST = 1000
#: What one put removes at most.
_AT_ONCE = 4


class Expiring:
    """Paths of large objects, by the time at which they expire."""

    def __init__(self) -> None:
        self._when: dict[str, float] = {}

    def note(self, path: str, expires: float | None) -> None:
        """Note when an object expires, None for never, in place of what was noted of it."""
        self._when.pop(path, None)
        if expires is not None:
            self._when[path] = expires
        with suppress(RuntimeError, StopIteration):  # another thread changed it: that one bounds it
            while len(self._when) > _MOST:
                self._when.pop(next(iter(self._when)), None)

    def due(self, now: float) -> list[str]:
        """Return some that should have expired, which are not noted any more."""
        found = [path for path, expires in list(self._when.items()) if expires <= now][:_AT_ONCE]
        for path in found:
            self._when.pop(path, None)
        return found
