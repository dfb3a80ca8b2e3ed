"""Any string as the name of a file, and back.

Names come out in ``[a-z0-9_%-]`` only, so that file systems which ignore case keep ``A`` and ``a`` apart,
and none starts with a dot: dotted names are the store's own.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote_to_bytes

#: What file systems take for one name, in bytes.
LONGEST = 255

_PLAIN = re.compile(r"[a-z0-9_-]+")
_OTHER = re.compile(rb"[^a-z0-9_-]")
# What need not be quoted is not: each text has one name.
_QUOTED = re.compile(r"(?=.)[a-z0-9_-]*(?:%(?!2d|3\d|5f|6[1-9a-f]|7[0-9a])[0-9a-f]{2}[a-z0-9_-]*)*")
_DIGEST = "%%"  # in a quoted name two digits follow each of them
_EMPTY = "%"


def to_bytes(text: str) -> bytes:
    """Return the bytes that stand for ``text``; unlike strict UTF-8 this knows lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def quote(text: str) -> str:
    """Return the file name for ``text``: reversible, or a digest where that would be too long.

    Examples
    --------
    >>> quote("orders"), quote("Orders/2024"), quote("")
    ('orders', '%4frders%2f2024', '%')
    """
    if len(text) <= LONGEST and _PLAIN.fullmatch(text):
        return text
    raw = to_bytes(text)
    quoted = _OTHER.sub(lambda match: b"%%%02x" % match[0][0], raw).decode("ascii")
    if len(quoted) > LONGEST:
        return _DIGEST + hashlib.blake2b(raw, digest_size=32).hexdigest()
    return quoted or _EMPTY


def unquote(name: str) -> str | None:
    """Return the text that ``name`` stands for, or None for a digest and for what is not ours.

    Examples
    --------
    >>> unquote("%4frders%2f2024"), unquote("README.txt")
    ('Orders/2024', None)
    """
    if name == _EMPTY:
        return ""
    if _PLAIN.fullmatch(name):
        return name
    if not _QUOTED.fullmatch(name):
        return None
    try:
        return unquote_to_bytes(name).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None


def is_digest(name: str) -> bool:
    """Say whether ``name``, or a part of that path, is a digest: the text is in the object itself."""
    return _DIGEST in name
