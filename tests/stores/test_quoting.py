"""Any string is the name of a file, and no two strings are the name of the same one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dash_brain.stores.mapped.volume.quoting import is_digest, quote, unquote

TEXT = st.text(st.characters(), max_size=400)


@given(TEXT)
def test_name_leads_back_to_the_text_or_is_a_digest(text):
    assert is_digest(quote(text)) or unquote(quote(text)) == text


@given(TEXT)
def test_name_suits_every_file_system(text):
    name = quote(text)
    assert 0 < len(name.encode()) <= 255
    assert name == name.lower()
    assert name.isascii()
    assert not name.startswith(".")
    assert not set(name) & set('/\0\\:*?"<>|')


@given(TEXT, TEXT)
def test_different_texts_have_different_names(one, other):
    assert (quote(one) == quote(other)) == (one == other)


@given(st.text(min_size=256, max_size=400))
def test_name_of_a_long_text_is_the_name_of_no_short_one(text):
    assert quote(quote(text)) != quote(text)


@given(st.text("abcdef0123456789%ABC._-", max_size=20))
def test_only_names_that_quoting_makes_lead_back(name):
    text = unquote(name)
    assert text is None or quote(text) == name
