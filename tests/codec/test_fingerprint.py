"""The fingerprint of frames, and the names of types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dash_brain.codec import encode, fingerprint, type_name
from tests.codec.classes import Colour, Order, Point
from tests.codec.values import objects


def test_fingerprint_is_128_bits_in_hex() -> None:
    assert len(fingerprint([b"a"])) == 32
    int(fingerprint([b"a"]), 16)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([b"ab"], [b"a", b"b"]),
        ([b"ab", b"c"], [b"a", b"bc"]),
        ([b"a"], [b"a", b""]),
        ([b""], []),
        ([b"a", b"b"], [b"b", b"a"]),
        ([b"a" + bytes(8)], [b"a", b""]),
        ([bytes(10**6)], [bytes(10**6 - 1) + b"\1"]),
        ([bytes(10**6)], [bytes(500_000) + b"\1" + bytes(499_999)]),
    ],
)
def test_fingerprint_tells_all_content_apart(one: list[bytes], other: list[bytes]) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_fingerprint_depends_on_content_alone() -> None:
    assert fingerprint([b"abc", b"d"]) == fingerprint([bytearray(b"abc"), memoryview(b"d")])


def test_equal_frames_made_anew_have_one_fingerprint() -> None:
    def frame(last: float) -> pd.DataFrame:
        return pd.DataFrame({"a": np.arange(5000.0), "b": [*range(4999), last]})

    assert fingerprint(encode(frame(1))) == fingerprint(encode(frame(1)))
    assert fingerprint(encode(frame(1))) != fingerprint(encode(frame(2)))


@pytest.mark.parametrize("times", [1, 10])
def test_fingerprint_of_texts_does_not_depend_on_where_they_lie_in_memory(times: int) -> None:
    shuffled = np.random.default_rng(0).permutation(3000).tolist()
    made = {at: f"customer-{at}" for at in shuffled}
    elsewhere = {at: f"customer-{at}" for at in range(3000)}
    one, other = (objects(*[pool[at] for at in range(3000)] * times) for pool in (made, elsewhere))
    assert fingerprint(encode(one)) == fingerprint(encode(other))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "int"),
        (None, "NoneType"),
        ({}, "dict"),
        (pd.DataFrame(), "pandas.DataFrame"),
        (pd.Series(dtype=float), "pandas.Series"),
        (np.arange(3), "numpy.ndarray"),
        (pa.table({}), "pyarrow.Table"),
        (pl.DataFrame(), "polars.DataFrame"),
        (Order(1), "tests.Order"),
        (Point(1, 2), "tests.Point"),
        (Colour.RED, "tests.Colour"),
    ],
)
def test_type_name_is_package_and_class(value: Any, name: str) -> None:
    assert type_name(value) == name
