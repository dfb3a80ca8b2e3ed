"""Whatever polars can hold comes back the same, or is refused; no reader meets a panic."""

from __future__ import annotations

import datetime as dt
import decimal
from contextlib import suppress
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dash_brain.codec import encode
from dash_brain.errors import EncodeError
from tests.codec.sameness import same
from tests.codec.stored import round_trip
from tests.codec.test_properties import thorough
from tests.torture.sizes import size

#: dtype and cells of what is not nested.
LEAVES: list[tuple[Any, list[Any]]] = [
    *((kind(), [1, None, 0]) for kind in (pl.Int8, pl.UInt16, pl.Int32, pl.UInt64)),
    *((kind(), [1.5, None, float("inf")]) for kind in (pl.Float32, pl.Float64)),
    (pl.Boolean(), [True, None]),
    (pl.String(), ["a", None, "", "long enough not to be in line"]),
    (pl.Binary(), [b"a", None]),
    (pl.Date(), [dt.date(2024, 1, 1), None]),
    (pl.Time(), [dt.time(1, 2), None]),
    (pl.Null(), [None]),
    *(
        (pl.Datetime(unit, zone), [dt.datetime(2024, 1, 1), None])
        for unit in ("ms", "us", "ns")
        for zone in (None, "UTC")
    ),
    (pl.Datetime("us", "Europe/Zurich"), [dt.datetime(2024, 7, 1)]),
    *((pl.Duration(unit), [dt.timedelta(1), None]) for unit in ("ms", "us", "ns")),
    (pl.Decimal(10, 2), [decimal.Decimal("1.10"), None]),
    (pl.Decimal(38, 0), [decimal.Decimal(10**30)]),
    (pl.Enum(["low", "mid", "high"]), ["high", "low", None]),
    (pl.Enum([]), [None]),
    (pl.Categorical(), ["b", "a", None, "b"]),
]
for name in ("Int128", "UInt128", "Float16"):  # depends on the version of polars
    if hasattr(pl, name):
        LEAVES.append((getattr(pl, name)(), [1, None, 0]))
if hasattr(pl, "Categories"):
    LEAVES += [
        (pl.Categorical(pl.Categories("n", "space", pl.UInt8)), ["b", "a", None]),
        (pl.Categorical(pl.Categories("m")), ["z", "a"]),
    ]

dtypes = st.recursive(
    st.sampled_from([dtype for dtype, _ in LEAVES]),
    lambda inner: st.one_of(
        inner.map(pl.List),
        st.builds(pl.Array, inner, st.integers(0, 3)),
        st.builds(pl.Array, inner, st.tuples(st.integers(1, 2), st.integers(0, 2))),
        st.dictionaries(st.sampled_from(["", "a", "b"]), inner, max_size=3).map(pl.Struct),
    ),
    max_leaves=3,
)


def cells_of(dtype: Any, count: int) -> list[Any]:
    if isinstance(dtype, pl.Array):
        row = cells_of(dtype.inner, dtype.size)
        return [row if at != 1 else None for at in range(count)]
    if isinstance(dtype, pl.List):
        return [cells_of(dtype.inner, at % 3) if at != 1 else None for at in range(count)]
    if isinstance(dtype, pl.Struct):
        columns = {field.name: cells_of(field.dtype, count) for field in dtype.fields}
        return [{name: cells[at] for name, cells in columns.items()} for at in range(count)]
    cells = next(cells for leaf, cells in LEAVES if leaf == dtype)
    return [cells[at % len(cells)] for at in range(count)]


def column(dtype: Any, count: int) -> pl.Series | None:
    """Return a column of a type, or None where polars cannot make one."""
    try:
        series = pl.Series("v", cells_of(dtype, count), dtype=dtype)
        return series if series.dtype == dtype else None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, ValueError):
        return None


def same_or_refused(value: Any) -> None:
    with suppress(EncodeError):
        encode(value)
        same(value, round_trip(value))


@settings(thorough, max_examples=size(150, 5000))
@given(dtypes, st.sampled_from([0, 1, 5]), st.data())
def test_any_column_comes_back_the_same_or_is_refused(dtype: Any, count: int, data: st.DataObject) -> None:
    series = column(dtype, count)
    if series is None:
        return
    part = series.slice(data.draw(st.integers(0, count)), data.draw(st.integers(0, count)))
    for value in (series, part, pl.DataFrame({"n": range(count), "v": series}), series.to_frame().lazy()):
        same_or_refused(value)


@pytest.mark.parametrize("dtype", [dtype for dtype, _ in LEAVES], ids=str)
def test_column_that_is_not_nested_comes_back_the_same(dtype: Any) -> None:
    series = column(dtype, 5)
    assert series is not None
    for value in (
        series,
        series.clear(),
        series.reverse().slice(1, 2),
        series.to_frame(),
        [series.implode()],
    ):
        same(value, round_trip(value))


@thorough
@given(dtypes)
def test_any_dtype_comes_back_the_same(dtype: Any) -> None:
    for value in (dtype, pl.Schema({"a": dtype}), pl.Field("a", dtype)):
        read = round_trip(value)
        assert (type(read), read, repr(read)) == (type(value), value, repr(value))


@pytest.mark.parametrize("dtype", [pl.Array(pl.Int8, 0), pl.List(pl.Array(pl.String, (2, 0)))], ids=str)
def test_arrays_without_width_are_refused_when_they_are_put(dtype: Any) -> None:
    frame = pl.DataFrame({"v": pl.Series([cells_of(dtype, 1)[0]] * 2, dtype=dtype)})
    for value in (frame, frame["v"]):
        with pytest.raises(EncodeError, match=r"value\['f'\]: polars\.\w+ cannot be stored\. polars itself"):
            encode({"f": value})


class Noted(pl.DataFrame):
    note: str


class Plain(pl.DataFrame):
    pass


def test_subclass_comes_back_as_one_and_is_refused_when_its_attributes_would_be_lost() -> None:
    assert type(round_trip(Plain({"a": [1]}))) is Plain
    frame = Noted({"a": [1]})
    frame.note = "x"
    with pytest.raises(EncodeError, match="forgets the attributes"):
        encode(frame)


def test_rows_without_columns_come_back_the_same() -> None:
    frame = pl.DataFrame({"a": [1, 2]}).select([])
    assert round_trip(frame).shape == frame.shape
    if "height" in pl.DataFrame.__init__.__annotations__:
        assert round_trip(pl.DataFrame(height=4)).shape == (4, 0)


EXPRESSIONS = [
    pl.col("a") + 1,
    pl.when(pl.col("a") > 1).then(pl.lit("x")).otherwise(None),
    pl.col("a").cast(pl.Enum(["low", "high"])),
    pl.lit(pl.Series([1, 2])),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_expression_comes_back_the_same(expression: pl.Expr) -> None:
    assert round_trip({"e": expression})["e"].meta.eq(expression)
