"""Which secrets can be guessed: short ones, placeholders, patterns, and those that stand in documentation."""

from __future__ import annotations

import base64
import hashlib
import math
import string
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

#: Secrets shorter than this can be guessed.
SHORTEST = 16

#: The least that a secret has: characters that do not follow from those before, and bits of information.
#: Sixteen random bytes, however written, have more: but for a few in a million, as some hold a common word.
_LEAST_SURPRISES = 13
_LEAST_BITS = 64

# Compared without separators, in lower case, and with letters for the digits and signs that stand for them.
_PLACEHOLDERS = (
    *("changeme", "changeit", "changethis", "replaceme", "replacethis", "replacewith", "placeholder"),
    *(
        "secret",
        "password",
        "passwd",
        "passphrase",
        "letmein",
        "hunter2",
        "qwerty",
        "iloveyou",
        "keyboardcat",
    ),
    *("example", "default", "insecure", "development", "yourkey", "yourown", "mykey", "testkey", "dummykey"),
    *("insertkey", "randomkey", "randomstring", "realkey", "keyhere", "putakey", "setakey", "notakey"),
    *("foobar", "dashbrain", "dashapp", "dashkey", "flaskapp", "deadbeef", "administrator", "temporary"),
    *("myapp", "appkey", "apikey", "signingkey", "sessionkey", "cookiekey", "masterkey", "privatekey"),
    # Sentences that everybody knows, addresses, and commands that were to make a key.
    *("correcthorse", "quickbrownfox", "loremipsum", "tobeornottobe", "openssl", "localhost"),
    *("http//", "https//", "redis//", "postgresql//"),  # without their colon, as they are compared
)
_LETTERS_FOR = str.maketrans("@013$5", "aoless")

_PUBLISHED = (
    # Flask's documentation, of today and of old
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    '_5#y2L"F4Q8z\n\xec]/',
    '_5#y2L"F4Q8z\n\xc3\xac]/',  # the same as text, in UTF-8
    "A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
    # FastAPI's, and that of jwt.io
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "a-string-secret-at-least-256-bits-long",
    # ours
    "new-key-6c1f0b7e9d",
    "old-key-93ab20f4c8",
    "q7Xz9Lw2Tb-q7Xz9Lw2Tb",
    "a long enough and random key: 7h3fgd72",
    "only a test signs with this",
    "the one that signs the logins",
)

_ROWS = (
    *("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "yxcvbnm"),
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol."),
)
_NEIGHBOURS = {row[i : i + 2] for row in (*_ROWS, *(row[::-1] for row in _ROWS)) for i in range(len(row) - 1)}


def weakness(secret: bytes) -> str | None:
    """Return why a secret can be guessed, as the end of a sentence without the secret; None: it cannot."""
    text = secret.decode("latin-1")
    if len(text) < SHORTEST:
        return f"has less than {SHORTEST} bytes"
    if text in _PUBLISHED:
        return "stands in public documentation"
    if any(map(_plain(text).__contains__, _PLACEHOLDERS)) or "your-" in text.lower():
        return "is a placeholder or contains a common password"
    if text.lower() in _hashes():
        return "is the hash of a common word"
    if any(decoded.isprintable() and weakness(decoded.encode()) for decoded in _decoded(text)):
        return "is a text that can be guessed, written in another way"
    if text in (text * 2)[1:-1]:
        return "repeats itself"
    surprises = min(_surprises(text), _surprises(text[::2]) + _surprises(text[1::2]))
    if surprises < _LEAST_SURPRISES or surprises * math.log2(_alphabet(text)) < _LEAST_BITS:
        return "follows a pattern or has too few different characters"
    return None


@lru_cache(maxsize=1)
def _hashes() -> frozenset[str]:
    """Return the hashes of common words, in hexadecimal."""
    words = ("", "a", "admin", "dash", "flask", "key", "plotly", "test", *_PLACEHOLDERS)
    kinds = (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512)
    return frozenset(
        kind(word.encode(), usedforsecurity=False).hexdigest() for word in words for kind in kinds
    )


def _decoded(text: str) -> Iterator[str]:
    """Yield what a text says that may be base64 or hexadecimal; random bytes are no text."""
    for decode in (bytes.fromhex, _from_base64):
        with suppress(ValueError):
            yield decode(text).decode("ascii")


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True)


def _plain(text: str) -> str:
    letters = "".join(character for character in text.lower() if character not in " -_./:+")
    return f"{letters} {letters.translate(_LETTERS_FOR)}"


def _surprises(text: str) -> int:
    """Count the characters that continue no repetition, no sequence, and no row of a keyboard.

    Two neighbours happen in random keys; a sequence or a row has three.
    """
    folded = text.lower()
    pairs = [folded[i : i + 2] for i in range(len(folded) - 1)]
    steps = [ord(pair[1]) - ord(pair[0]) for pair in pairs]
    beside = [pair in _NEIGHBOURS for pair in pairs]
    foreseen = {
        i
        for i, pair in enumerate(pairs)
        if pair in pairs[:i] or (i > 0 and ((beside[i - 1] and beside[i]) or steps[i] == steps[i - 1]))
    }
    return len(text) - len(foreseen)


def _alphabet(text: str) -> int:
    """Return how many characters the text seems to be chosen from."""
    if set(text) <= set(string.hexdigits):
        return 10 if text.isdigit() else 16
    if not set(text) <= set(string.printable):
        return 256
    kinds = (string.digits, string.ascii_lowercase, string.ascii_uppercase, string.punctuation + " ")
    found = [(len(kind), len(set(kind) & set(text))) for kind in kinds]
    return sum(size if different > 2 else different for size, different in found) or 1
