"""Whatever pandas can hold comes back the same, or is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dash_brain.codec import decode, encode
from dash_brain.errors import EncodeError
from tests.codec.arrow_types import array_of, types
from tests.codec.classes import Orders, Prices
from tests.codec.sameness import same
from tests.codec.stored import round_trip
from tests.codec.test_properties import thorough
from tests.codec.values import PANDAS_3, objects
from tests.torture.sizes import size

DAYS = pd.date_range("2024-03-30", periods=4, tz="Europe/Zurich")


def arrow(cells: list[Any], kind: Any) -> Any:
    return pd.array(cells, dtype=pd.ArrowDtype(kind))


ARRAYS: dict[str, Callable[[], Any]] = {
    **{
        f"masked {name}": lambda name=name: pd.array([1, None, 0], dtype=name)  # type: ignore[misc]
        for name in ("Int8", "UInt64", "Float32", "Float64", "boolean")
    },
    "string, python": lambda: pd.array(["a", None, ""], dtype=pd.StringDtype("python")),
    "string, pyarrow": lambda: pd.array(["a", None, ""], dtype=pd.StringDtype("pyarrow")),
    "dates": lambda: DAYS.array,
    "dates, seconds": lambda: DAYS.tz_localize(None).as_unit("s").array,
    "dates with NaT": lambda: pd.DatetimeIndex(["2024", None, "2025"], tz="UTC").array,
    "spans": lambda: pd.timedelta_range("1h", periods=3, freq="90min").array,
    "periods": lambda: pd.period_range("2024", periods=3, freq="Q-FEB").array,
    "periods, weeks": lambda: pd.array(["2024-01-01", None], dtype="period[W-TUE]"),
    "intervals": lambda: pd.interval_range(0, 4, closed="both").array,
    "intervals of floats": lambda: pd.arrays.IntervalArray.from_breaks([0, 0.5, np.inf], closed="neither"),
    "intervals of dates": lambda: pd.IntervalIndex.from_breaks(DAYS, closed="left").array,
    "sparse": lambda: pd.arrays.SparseArray([0.0, 1.5, 0.0, np.nan], fill_value=0.0),
    "sparse blocks": lambda: pd.arrays.SparseArray([1, 0, 0, 2], kind="block"),
    "sparse booleans": lambda: pd.arrays.SparseArray([True, False], fill_value=True),
    "sparse of nothing": lambda: pd.arrays.SparseArray([np.nan, np.nan]),
    "categories": lambda: pd.Categorical(["b", None, "a"], ["a", "b", "c"], ordered=True),
    "categories of intervals": lambda: pd.cut(pd.Series([1, 5, 9]), 3).array,
    "categories of dates": lambda: pd.Categorical(DAYS),
    "categories of periods": lambda: pd.Categorical(pd.period_range("2024", periods=2, freq="M")),
    "categories of tuples": lambda: pd.Categorical(objects(("a", 1), ("b", 2))),
    "categories of floats": lambda: pd.Categorical([1.5, -0.0]),
    "categories of booleans": lambda: pd.Categorical([True, False]),
    "categories of numbers that may be missing": lambda: pd.Categorical(pd.array([1, 2], dtype="Int8")),
    "categories of mixed kinds": lambda: pd.Categorical(objects(1, "a", None)),
    "categories with a name": lambda: pd.Categorical(["a"], pd.Index(["a", "b"], name="n")),
    "categories in a range": lambda: pd.Categorical([1, 2], pd.RangeIndex(5)),
    "no categories": lambda: pd.Categorical([None, None]),
    "many categories": lambda: pd.Categorical([f"c{at}" for at in range(300)]),
    "categories of arrow": lambda: pd.Categorical(arrow(["a", "b"], pa.large_string())),
    "arrow decimals": lambda: arrow([None, 1], pa.decimal128(9, 2)),
    "arrow zoned": lambda: arrow([dt.datetime(2024, 1, 1), None], pa.timestamp("ms", "Asia/Tokyo")),
    "arrow dictionary": lambda: arrow(["a", None], pa.dictionary(pa.int16(), pa.string(), ordered=True)),
    "objects": lambda: pd.arrays.NumpyExtensionArray(objects(1, None, np.nan, "a")),
}
if PANDAS_3:
    ARRAYS |= {
        "str, python": lambda: pd.array(["a", None], dtype=pd.StringDtype("python", na_value=np.nan)),
        "str, pyarrow": lambda: pd.array(["a", None], dtype=pd.StringDtype("pyarrow", na_value=np.nan)),
    }


def decorated(frame: Any) -> Any:
    frame.attrs = {"unit": ["m"], "nested": {"a": (1,)}}
    return frame.set_flags(allows_duplicate_labels=False)


def with_note(frame: Any, name: str) -> Any:
    setattr(frame, name, ["note"])
    return frame


FORMS: dict[str, Callable[[Any], Any]] = {
    "array": lambda array: array,
    "part": lambda array: array[1:],
    "every other": lambda array: array[::-2],
    "dtype": lambda array: array.dtype,
    "series": lambda array: pd.Series(array, name=("a", 1)),
    "decorated series": lambda array: decorated(pd.Series(array)),
    "prices": lambda array: with_note(Prices(array), "currency"),
    "index": lambda array: pd.Index(array, name="i"),
    "in a frame": lambda array: pd.DataFrame({"n": range(len(array)), "a": array}),
    "decorated frame": lambda array: decorated(pd.DataFrame({("a", "b"): array, ("a", "c"): array})),
    "orders": lambda array: with_note(Orders({"a": array}), "source"),
    "index of a frame": lambda array: pd.DataFrame({"n": range(len(array))}, index=pd.Index(array)),
    "rows of a frame": lambda array: pd.DataFrame({"a": array}).iloc[1:],
    "columns of a frame": lambda array: pd.DataFrame([range(len(array))], columns=pd.Index(array)),
    "level": lambda array: pd.MultiIndex.from_arrays([array, range(len(array))], names=["a", None]),
    "levels of a frame": lambda array: pd.DataFrame({"a": array, "n": 1}).set_index(["a", "n"]),
    "categories": lambda array: pd.Categorical.from_codes([0, -1], pd.Index(array[:1])),
    "cells": lambda array: list(array),
}


@pytest.mark.filterwarnings("ignore")  # pandas warns of some of these as such
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ARRAYS)
def test_any_array_of_pandas_comes_back_the_same(name: str, form: str) -> None:
    try:
        value = FORMS[form](ARRAYS[name]())
    except (TypeError, ValueError, NotImplementedError, KeyError, AttributeError):
        pytest.skip("pandas has no such thing")
    same(value, round_trip(value))


@settings(thorough, max_examples=size(100, 3000))
@given(types, st.sampled_from(["array", "part", "series", "in a frame", "rows of a frame", "dtype"]))
def test_any_column_of_arrow_in_pandas_comes_back_the_same_or_is_refused(kind: Any, form: str) -> None:
    try:
        array = pd.arrays.ArrowExtensionArray(pa.chunked_array([array_of(kind, 3)]))
        value = FORMS[form](array)
    except (TypeError, ValueError, NotImplementedError, pa.ArrowException, AttributeError):
        return
    with suppress(EncodeError):
        encode(value)
        same(value, round_trip(value))


@pytest.mark.parametrize("offset", [0, 1])
def test_frame_of_each_layout_of_blocks_comes_back_the_same(offset: int) -> None:
    frame = pd.DataFrame(np.arange(12.0).reshape(3, 4)).iloc[:, offset:]
    frame.insert(1, "new", [1, 2, 3])
    frame["more"] = ["a", "b", "c"]
    for value in (frame, frame.T, frame.iloc[::-1], frame.iloc[:0], frame[[]], frame.loc[:, ::-1]):
        same(value, round_trip(value))


def test_a_frame_may_contain_itself() -> None:
    frame = pd.DataFrame({"a": objects(None, 1)})
    cells = frame._mgr.blocks[0].values  # type: ignore[attr-defined]
    cells[0, 0] = frame
    rebuilt = round_trip(frame)
    assert rebuilt.iloc[0, 0] is rebuilt


@pytest.mark.skipif(not PANDAS_3, reason="its strings are Python objects")
def test_few_strings_are_each_readers_own() -> None:
    frames = encode(pd.array(["a", None, "b"], dtype="str"))
    changed = decode(frames)
    changed[0] = "changed"
    assert decode(frames).tolist()[::2] == ["a", "b"]


@pytest.mark.parametrize("count", [0, 10, 2000])
def test_strings_of_pandas_come_back_as_they_were(count: int) -> None:
    array = pd.array([f"ü{at}" for at in range(count)], dtype="str")
    same(array, round_trip(array))
