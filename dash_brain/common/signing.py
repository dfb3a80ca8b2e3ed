"""The secrets that sign: one 32-byte master, from which every other key is derived with a label.

A :class:`KeyRing` holds the masters of one deployment, newest first: the newest signs, all of them
verify, so that a key can be rotated while sessions live on.
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from dash_brain.common.weak_keys import weakness

#: Returns the masters that this process is configured with; the settings say how.
configured: Callable[[], tuple[bytes, ...]] = tuple

#: 32 bytes are 43 characters of base64 and its padding. The functions of ``base64`` cost two calls more.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Key:
    """One master key: a public ``kid`` that names it, and message authentication with labels."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._states: dict[str, tuple[Any, Any]] = {}

    @cached_property
    def kid(self) -> str:
        """Eight hex digits that name this key and reveal nothing of it."""
        return self._derived("kid").hex()[:8]

    def mac(self, label: str, *parts: str | bytes) -> bytes:
        """Return 32 bytes that only the holder of the key can compute from label and parts.

        Parts are framed by their lengths, so that ``("ab", "c")`` and ``("a", "bc")`` differ.
        """
        message = bytearray()
        for part in parts:
            data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            message += len(data).to_bytes(8, "big") + data
        states = self._states.get(label) or self._state(label)
        inner, outer = states[0].copy(), states[1].copy()
        inner.update(message)
        outer.update(inner.digest())
        digest: bytes = outer.digest()
        return digest

    def signature(self, label: str, *parts: str | bytes) -> str:
        """Return :meth:`mac` as 43 URL-safe characters."""
        return b2a_base64(self.mac(label, *parts))[:43].translate(_URL_SAFE).decode()

    def signs(self, signature: str, label: str, *parts: str | bytes) -> bool:
        """Say, in constant time, whether ``signature`` is this key's for label and parts."""
        # compare_digest takes text only when it is ASCII; other text can be no signature.
        ours = b2a_base64(self.mac(label, *parts))[:43].translate(_URL_SAFE).decode()
        return signature.isascii() and hmac.compare_digest(signature, ours)

    def _state(self, label: str) -> tuple[Any, Any]:
        """Return both hashes of HMAC-SHA256, which have read the key: ``hmac.HMAC`` costs four calls more."""
        key = self._derived(label).ljust(hashlib.sha256().block_size, b"\0")
        inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
        self._states[label] = inner, outer  # labels are few
        return inner, outer

    def _derived(self, label: str) -> bytes:
        return hmac.digest(self._master, b"dash_brain/" + label.encode(), "sha256")


class KeyRing:
    """The keys of one deployment, newest first."""

    def __init__(self, masters: Sequence[bytes]) -> None:
        self.by_kid = {key.kid: key for key in map(Key, masters)}
        self.all = tuple(self.by_kid.values())
        self.newest = self.all[0]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.all)

    def find(self, kid: str) -> Key | None:
        """Return the key of that name, or None when it is none of ours."""
        return self.by_kid.get(kid)


def master_from(secret: str | bytes) -> bytes:
    """Return the master key of a configured secret.

    Raises
    ------
    ValueError
        For a secret that can be guessed; the message does not repeat it.
    """
    data = secret.encode() if isinstance(secret, str) else bytes(secret)
    why = weakness(data)
    if why is not None:
        raise ValueError(
            f"key= (or DASH_BRAIN_KEY) can be guessed: it {why}. Make one that cannot: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return hashlib.sha256(b"dash_brain master" + data).digest()
