"""Keys: what they sign, and what they take for a signature."""

from __future__ import annotations

from dash_brain.keys import Key, KeyRing

KEY = Key(b"0" * 32)


def test_parts_are_framed_by_their_lengths() -> None:
    assert KEY.mac("token", "ab", "c") != KEY.mac("token", "a", "bc")
    assert KEY.mac("token", "a", "") != KEY.mac("token", "a")


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
