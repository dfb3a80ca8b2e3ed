"""Keys: what they sign, and what they take for a signature."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import random
import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dash_brain import configure
from dash_brain.common.signing import Key, KeyRing, master_from
from dash_brain.settings import current
from tests.programs import REPOSITORY

KEY = Key(b"0" * 32)


def test_parts_are_framed_by_their_lengths() -> None:
    assert KEY.mac("token", "ab", "c") != KEY.mac("token", "a", "bc")
    assert KEY.mac("token", "a", "") != KEY.mac("token", "a")


@pytest.mark.parametrize("count", [0, 1, 55, 64, 1000])
def test_a_mac_is_hmac_sha256(count: int) -> None:
    """The key of a label is an HMAC of the label, with the master as its key."""
    derived = hmac.digest(b"0" * 32, b"dash_brain/token", "sha256")
    message = count.to_bytes(8, "big") + b"x" * count
    assert KEY.mac("token", b"x" * count) == hmac.digest(derived, message, "sha256")


def test_a_label_keeps_one_purpose_from_another() -> None:
    assert KEY.mac("token", "a") != KEY.mac("session cookie", "a")


def test_other_signatures_are_none() -> None:
    signature = KEY.signature("token", "a")
    assert KEY.signs(signature, "token", "a")
    for other in ("", signature[:-1], signature + "A", signature.swapcase(), "é" * 43, "\ud800" * 43):
        assert not KEY.signs(other, "token", "a")
    assert not Key(b"1" * 32).signs(signature, "token", "a")


def test_the_first_key_signs_and_each_is_found_by_its_name() -> None:
    ring = KeyRing([b"1" * 32, b"0" * 32])
    assert ring.newest.kid == Key(b"1" * 32).kid != KEY.kid
    found = ring.find(KEY.kid)
    assert found is not None
    assert found.mac("a") == KEY.mac("a")
    assert ring.find("00000000") is None


GUESSABLE = [
    *("short", "x" * 15, "a" * 40, "ab" * 20, "0" * 32, "1234567890123456", "12345678901234567890"),
    *("hunter2hunter2hunter2", "letmeinletmeinletmein", "Tr0ub4dor&3Tr0ub4dor&3", "xyz123xyz123xyz123xyz123"),
    *(
        "abcdefghijklmnopqrstuvwxyz",
        "zyxwvutsrqponmlkjihgfedcba",
        "AbCdEfGhIjKlMnOpQrSt",
        "acegikmoqsuwy" * 2,
    ),
    *("qwertyuiopasdfghjklzxcvbnm", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb", "asdfasdfasdfasdf1234"),
    *("0123456789abcdef0123456789abcdef", "00000000-0000-0000-0000-000000000000", "a1b2c3d4e5f6g7h8i9j0"),
    *(
        "change-me-in-production!!",
        "CHANGE_ME_9f8e7d6c5b4a3210",
        "changeme-changeme-changeme",
        "change me, please now",
    ),
    *(
        "your-secret-key-goes-here",
        "my_s3cr3t_k3y_f0r_th1s_4pp",
        "P@ssw0rd-for-the-dashboard",
        "this-is-a-default-key",
    ),
    *(
        "django-insecure-4x#8w2!kq9z",
        "put-a-key-here-1b7d9e2c",
        "deadbeefcafebabedeadbeefcafebabe",
        "2024-01-01 00:00:00",
    ),
    *("correct horse battery staple", "the quick brown fox jumps over", "administrator1234"),
    *("$(openssl rand -hex 32)", "redis://localhost:6379/0", "temporary-key-1234"),
    *("192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf", b'_5#y2L"F4Q8z\n\xec]/'),
    *(bytes(range(32)), b"\0" * 32, b"\xff\xfe" * 16),
    *("my-app-signing-key-1", "https://my-app.internal", "Company2026!Company2026!"),
    *("dGhpc2lzYXNlY3JldGtleQ==", "dGhpc2lzYXNlY3JldGtleQ", b"thisisasecretkey".hex()),
    *(hashlib.sha256(b"secret").hexdigest(), hashlib.md5(b"password").hexdigest().upper()),
    *(hashlib.sha1(b"").hexdigest(), "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"),
]

WRITTEN = [
    bytes,
    bytes.hex,
    base64.b64encode,
    lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),  # as secrets.token_urlsafe writes
    lambda data: str(uuid.UUID(bytes=data[:16], version=4)),
    lambda data: uuid.UUID(bytes=data[:16], version=4).hex,
]


@pytest.mark.parametrize("weak", GUESSABLE)
def test_a_key_that_can_be_guessed_is_refused_and_not_repeated(weak) -> None:
    for keys in (weak, [secrets.token_urlsafe(), weak]):
        with pytest.raises(ValueError, match=r"secrets\.token_urlsafe\(32\)") as error:
            configure(key=keys)
        assert len(weak) < 6 or str(weak) not in str(error.value)


def test_so_is_one_of_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("DASH_BRAIN_KEY", "1234567890123456")
    with pytest.raises(ValueError, match="DASH_BRAIN_KEY"):
        current.use()


@pytest.mark.parametrize("write", WRITTEN)
def test_random_keys_of_sixteen_bytes_or_more_are_taken_however_they_are_written(write) -> None:
    chance = random.Random("the same in every run")
    for length in (16, 24, 32, 64):
        for _ in range(500):
            master_from(write(chance.randbytes(length)))


def test_random_keys_may_hold_neighbours_of_the_keyboard() -> None:
    master_from(b"\x9dgE34YU\xd8\xca`mj\xcd\xf28+")  # e3, 34, yu and mj


TEXT = r"""b?["'][^"'\n]{16,}["']"""
GIVEN_AS_KEY = re.compile(rf"""(?i)key["']?\]?(?:,|:| =|=) ?[\[(]?{TEXT}(?:, ?{TEXT})*""")


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts in a file that are given as a key."""
    for given in GIVEN_AS_KEY.finditer(path.read_text()):
        for match in re.finditer(TEXT, given[0]):
            yield ast.literal_eval(match[0])


def test_every_key_that_we_print_is_refused() -> None:
    files = [path for ending in ("md", "py", "sh") for path in REPOSITORY.glob(f"[!.]*/**/*.{ending}")]
    printed = {text for path in (*files, REPOSITORY / "README.md") for text in texts_of(path)}
    taken = []
    for text in printed:
        with suppress(ValueError):
            master_from(text)
            taken.append(text)
    assert not taken


def test_a_signature_is_the_url_safe_base64_of_the_mac():
    key = Key(b"0" * 32)
    for part in map(str, range(100)):
        expected = base64.urlsafe_b64encode(key.mac("token", part)).decode().rstrip("=")
        assert key.signature("token", part) == expected
        assert key.signs(expected, "token", part)


def test_a_mac_is_that_of_the_derived_key():
    derived = hmac.digest(b"0" * 32, b"dash_brain/token", "sha256")
    message = (2).to_bytes(8, "big") + b"ab"
    for _ in range(2):  # the state of a key is kept, and copied for each message
        assert Key(b"0" * 32).mac("token", "ab") == hmac.digest(derived, message, "sha256")
