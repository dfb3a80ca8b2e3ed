"""Attributes that were set on the objects of a library, and that its own pickling forgets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pytest

from dash_brain.codec import decode, encode
from dash_brain.errors import EncodeError
from dash_brain.memo.fingerprints import of_value
from tests.codec.sameness import same

MAKE: dict[str, Any] = {
    "frame": lambda: pd.DataFrame({"a": [1, 2]}),
    "series": lambda: pd.Series([1, 2], name="n"),
    "index": lambda: pd.Index(["a", "b"]),
    "range": lambda: pd.RangeIndex(3),
    "days": lambda: pd.date_range("2024-01-01", periods=3),
    "levels": lambda: pd.MultiIndex.from_product([[1], ["a"]]),
    "masked": lambda: np.ma.masked_array([1, 2], [0, 1]),
    "polars": lambda: pl.DataFrame({"a": [1, 2]}),
    "polars series": lambda: pl.Series("a", [1, 2]),
}


def with_remark(made: Any, remark: Any) -> Any:
    made.__dict__["remark"] = remark
    return made


@pytest.mark.parametrize("name", MAKE)
def test_attribute_comes_back_and_counts(name: str) -> None:
    value = with_remark(MAKE[name](), {"of": ["m"]})
    again = decode(encode(value))
    same(value, again)
    assert again.remark == {"of": ["m"]}
    assert of_value(value) == of_value(again)
    assert of_value(value) != of_value(MAKE[name]()) != of_value(with_remark(MAKE[name](), "k"))


@pytest.mark.parametrize("name", MAKE)
def test_attribute_that_cannot_be_stored_is_named(name: str) -> None:
    with pytest.raises(EncodeError, match="cannot be stored"):
        encode(with_remark(MAKE[name](), lambda: None))


def test_attribute_of_a_lazy_frame_is_refused() -> None:
    with pytest.raises(EncodeError, match="forgets the attributes"):
        encode(with_remark(pl.DataFrame({"a": [1]}).lazy(), "m"))


def test_what_an_accessor_keeps_on_a_frame_is_no_attribute() -> None:
    series = pd.Series(["a"])
    series.__dict__["str"] = iter("a")
    assert "str" not in vars(decode(encode(series)))


class WithDefault(pd.DataFrame):
    remark: str | None = None


def test_attribute_with_a_default_in_the_class_comes_back() -> None:
    assert decode(encode(with_remark(WithDefault({"a": [1]}), "m"))).remark == "m"


class InSlots(np.ndarray[Any, Any]):
    __slots__ = ("unit",)


def test_slots_of_an_array_come_back() -> None:
    array = np.arange(3.0).view(InSlots)
    array.unit = "m"
    assert decode(encode(array)).unit == "m"


class Prices(pd.DataFrame):
    _metadata: ClassVar[list[str]] = ["currency"]


def test_subclass_of_a_frame_counts_by_its_cells_and_its_metadata() -> None:
    def priced(currency: str, *, joined: bool) -> Prices:
        prices = Prices({"a": [1.0], "b": [2.0]}) if joined else Prices({"a": [1.0]})
        if not joined:
            prices["b"] = [2.0]
        prices.currency = currency
        return prices

    assert of_value(priced("EUR", joined=True)) == of_value(priced("EUR", joined=False))
    plain = pd.DataFrame({"a": [1.0], "b": [2.0]})
    assert (
        len({of_value(value) for value in (priced("EUR", joined=True), priced("USD", joined=True), plain)})
        == 3
    )
