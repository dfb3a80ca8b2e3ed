"""Whatever Arrow can hold comes back the same in all that belongs to it, or is refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dash_brain.codec import encode
from dash_brain.errors import EncodeError
from tests.codec.arrow_types import LEAVES, array_of, fields, metadata, types
from tests.codec.sameness import same
from tests.codec.stored import round_trip
from tests.codec.test_properties import thorough
from tests.torture.sizes import size

more = settings(thorough, max_examples=size(150, 5000))


def same_or_refused(value: Any) -> None:
    with suppress(EncodeError):
        encode(value)
        same(value, round_trip(value))


@more
@given(types)
def test_any_type_comes_back_the_same(kind: Any) -> None:
    same(kind, round_trip(kind))


@thorough
@given(st.lists(fields(types), max_size=3), metadata)
def test_any_schema_comes_back_the_same(found: list[Any], notes: Any) -> None:
    schema = pa.schema(found, notes)
    same(schema, round_trip(schema))
    for field in schema:
        same(field, round_trip(field))


@more
@given(types, st.sampled_from([0, 1, 9, 300]), st.data())
def test_any_array_and_its_slices_come_back_the_same(kind: Any, length: int, data: st.DataObject) -> None:
    array = array_of(kind, length)
    part = array.slice(data.draw(st.integers(0, length)), data.draw(st.integers(0, length)))
    same(array, round_trip(array))
    same(part, round_trip(part))
    chunked = pa.chunked_array([array, part], array.type)
    same(chunked, round_trip(chunked))


@pytest.mark.parametrize("kind", [kind for kind, _ in LEAVES], ids=str)
def test_slice_of_a_long_array_comes_back_the_same(kind: Any) -> None:
    array = array_of(kind, 3000)
    for part in (array, array.slice(1000, 9), array.slice(1, 0)):
        same(part, round_trip(part))


@thorough
@given(st.lists(fields(types), max_size=3), metadata, st.integers(0, 5), st.sampled_from([0, 2]))
def test_any_table_and_batch_come_back_the_same(
    found: list[Any], notes: Any, length: int, start: int
) -> None:
    arrays = [array_of(field.type, length) for field in found]
    schema = pa.schema([field.with_type(a.type) for field, a in zip(found, arrays, strict=True)], notes)
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema).slice(start)
    same(batch, round_trip(batch))
    for batches in ([], [batch], [batch, batch]):
        table = pa.Table.from_batches(batches, schema)
        same(table, round_trip(table))


@pytest.mark.parametrize("keys_sorted", [False, True])
@pytest.mark.parametrize("item", [pa.int64(), pa.large_string(), pa.map_(pa.string(), pa.date32())], ids=str)
def test_maps_of_parquet_files_come_back_the_same(tmp_path: Path, item: Any, keys_sorted: bool) -> None:
    kind, pairs = pa.map_(pa.string(), item, keys_sorted), [("a", None)]
    maps = pa.array([pairs, None, []], kind)
    lists = pa.array([[pairs], [None], None], pa.list_(kind))
    structs = pa.array([{"a": pairs}, None, {"a": None}], pa.struct({"a": kind}))
    table = pa.table({"m": maps, "in lists": lists, "in structs": structs})
    pq.write_table(table, tmp_path / "maps.parquet")
    read = pq.read_table(tmp_path / "maps.parquet")
    same(read, round_trip(read))
    back = round_trip(read).schema
    assert back.field("m").type.field(0) == read.schema.field("m").type.field(0)  # its name too
    frame = read.to_pandas(types_mapper=pd.ArrowDtype)
    same(frame, round_trip(frame))
    same(read["m"][0], round_trip(read["m"][0]))


@pytest.mark.parametrize("notes", [None, {b"a": b"b"}])
def test_rows_without_columns_come_back_the_same(notes: Any) -> None:
    batch = pa.RecordBatch.from_pydict({"a": [1, 2, 3]}).select([]).replace_schema_metadata(notes)
    for value in (batch, pa.Table.from_batches([batch]), pa.table({"a": [1, 2]}).select([])):
        same(value, round_trip(value))
    assert round_trip(batch).num_rows == 3


@more
@given(types)
def test_any_scalar_comes_back_the_same_or_is_refused(kind: Any) -> None:
    array = array_of(kind, 2)
    for scalar in array:
        same_or_refused(scalar)


@pytest.mark.parametrize("kind", [kind for kind, _ in LEAVES], ids=str)
def test_scalar_that_is_not_nested_comes_back_the_same(kind: Any) -> None:
    for scalar in array_of(kind, 2):
        same(scalar, round_trip(scalar))
