"""Whatever a value is made of, it comes back the same: generated values."""

from __future__ import annotations

import datetime as dt
import string
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from tests.codec.classes import Text
from tests.codec.sameness import same
from tests.codec.stored import round_trip
from tests.codec.values import objects
from tests.torture.sizes import size

#: No deadline: the machine may be busy. A fixed seed: a failure is the same for everyone.
settings.register_profile(
    "codec",
    deadline=None,
    derandomize=True,
    max_examples=size(60, 1500),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
thorough = settings(settings.get_profile("codec"))

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers()
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.decimals()
    | st.uuids()
)
keys = st.text() | st.integers() | st.tuples(st.text(), st.integers()) | st.dates()
values = st.recursive(
    scalars,
    lambda part: (
        st.lists(part)
        | st.lists(part).map(tuple)
        | st.dictionaries(keys, part)
        | st.lists(part).map(lambda parts: objects(*parts))
    ),
    max_leaves=30,
)

plain_dtypes = (
    hn.boolean_dtypes()
    | hn.integer_dtypes(endianness="?")
    | hn.floating_dtypes(endianness="?")
    | hn.complex_number_dtypes(endianness="?")
    | hn.datetime64_dtypes(endianness="?")
    | hn.timedelta64_dtypes(endianness="?")
    | hn.unicode_string_dtypes(min_len=1, max_len=5)
    | hn.byte_string_dtypes(min_len=1, max_len=5)
)
dtypes = plain_dtypes | hn.array_dtypes(plain_dtypes, allow_subarrays=True)

#: Cells that differ in type and identity, though many of them are equal or missing.
MARKS = (None, np.nan, pd.NA, pd.NaT)
odd_cells = st.sampled_from(
    [float("nan"), np.float64("nan"), np.str_("a"), Text("a"), b"a", "\ud83d", 1, True, 1.0, (1,), [1], "\0"]
)
vocabularies = st.lists(st.text(max_size=6) | st.sampled_from(MARKS), min_size=1, max_size=300)


@thorough
@given(values)
def test_any_plain_value_comes_back_the_same(value: Any) -> None:
    same(value, round_trip(value))


@thorough
@given(st.data())
def test_any_array_comes_back_the_same(data: st.DataObject) -> None:
    shape = data.draw(hn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9))
    array = data.draw(hn.arrays(data.draw(dtypes), shape))
    if array.ndim:
        array = array[data.draw(hn.basic_indices(array.shape, allow_newaxis=True))]
    if isinstance(array, np.ndarray) and data.draw(st.booleans()):
        array = array.transpose(data.draw(st.permutations(range(array.ndim))))
    same(array, round_trip(array))


@thorough
@given(st.data())
def test_any_column_of_objects_comes_back_the_same(data: st.DataObject) -> None:
    words = data.draw(vocabularies)
    length = data.draw(st.sampled_from([5, 1023, 1024, 1025, 5000]))
    if data.draw(st.booleans()):  # different objects, and nearly as many values
        words = [word if word is None else f"{word}{at}" for at, word in enumerate(words * 20)]
    order = np.random.default_rng(data.draw(st.integers(0, 9))).integers(0, len(words), length)
    cells = objects(*(words[at] for at in order))
    for cell in data.draw(st.lists(odd_cells | st.sampled_from(MARKS), max_size=3)):
        cells[data.draw(st.integers(0, length - 1))] = cell
    step = data.draw(st.sampled_from([1, 2, -1]))
    same(cells[::step], round_trip(cells[::step]))


@thorough
@given(st.data())
def test_any_frame_comes_back_the_same(data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 8))
    column = st.sampled_from(
        [
            st.floats(),
            st.integers(-(2**63), 2**63 - 1),
            st.booleans(),
            st.text(alphabet=string.printable),
            st.none() | st.integers() | st.text(alphabet=string.ascii_letters),
            st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)).map(pd.Timestamp),
        ]
    )
    names = data.draw(st.lists(st.text(max_size=3) | st.integers(0, 3), max_size=5))
    columns = [data.draw(st.lists(data.draw(column), min_size=rows, max_size=rows)) for _ in names]
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(rows))
    frame.columns = pd.Index(names, dtype=object)
    frame = frame.iloc[:: data.draw(st.sampled_from([1, 2, -1]))]
    same(frame, round_trip(frame))


arrow_types = st.recursive(
    st.sampled_from(
        [
            pa.int8(),
            pa.float64(),
            pa.bool_(),
            pa.string(),
            pa.large_binary(),
            pa.date32(),
            pa.timestamp("us", "UTC"),
        ]
    ),
    lambda inner: inner.map(pa.list_) | inner.map(lambda kind: pa.struct([("a", kind), ("b", pa.int64())])),
    max_leaves=3,
)


def arrow_cells(kind: Any) -> st.SearchStrategy[Any]:
    if pa.types.is_list(kind):
        return st.none() | st.lists(arrow_cells(kind.value_type), max_size=3)
    if pa.types.is_struct(kind):
        return st.none() | st.fixed_dictionaries({field.name: arrow_cells(field.type) for field in kind})
    return (
        st.none()
        | {
            pa.int8(): st.integers(-128, 127),
            pa.float64(): st.floats(allow_nan=False),
            pa.bool_(): st.booleans(),
            pa.string(): st.text(alphabet=string.printable),
            pa.large_binary(): st.binary(),
            pa.date32(): st.dates(),
            pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(dt.timezone.utc)),
            pa.int64(): st.integers(-(2**63), 2**63 - 1),
        }[kind]
    )


@thorough
@given(st.data())
def test_any_slice_of_an_arrow_array_comes_back_the_same(data: st.DataObject) -> None:
    kind = data.draw(arrow_types)
    cells = data.draw(st.lists(arrow_cells(kind), max_size=10)) * data.draw(st.sampled_from([1, 300]))
    array = pa.array(cells, kind)
    array = array.slice(data.draw(st.integers(0, len(array))), data.draw(st.integers(0, len(array))))
    same(array, round_trip(array))
