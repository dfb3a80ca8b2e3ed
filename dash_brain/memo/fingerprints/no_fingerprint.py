"""The error for a value without a fingerprint, with the path to it."""

from __future__ import annotations

from typing import Any


class NoFingerprint(Exception):
    """A value has no fingerprint. Each level that the error passes adds its part of the path."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path = ""

    def within(self, label: str) -> NoFingerprint:
        """Put the next part in front of the path."""
        self.path = label + self.path
        return self


def key_label(key: Any) -> str:
    """Return how a key is written in a path: shortened, and as its type if it is no plain key."""
    if not isinstance(key, (str, bytes, int, float, bool, type(None))):
        return f"[<{type(key).__name__}>]"
    text = repr(key)
    return f"[{text if len(text) <= 40 else text[:40] + '…'}]"
