"""Large buffers are views of the value's memory, not copies in the stream; a slice stores only itself."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa
import pytest

from dash_brain.codec import decode, encode
from dash_brain.codec.adapters import strings
from dash_brain.codec.adapters.objects import REPEATS, _distinct, _sample
from dash_brain.codec.adapters.strings import _one_array
from tests.codec.sameness import same
from tests.codec.stored import bytes_in_all, bytes_in_stream, round_trip, stored
from tests.codec.values import ARROW_16, frozen, objects, text_views, texts, with_cells

ROWS = 30_000
ENVELOPE = 3000  # bytes that a stream may take beside its buffers

TEXTS = texts(ROWS)
DAYS = np.arange(ROWS).astype("M8[ms]")


def spread(cells: list[Any]) -> np.ndarray[Any, Any]:
    return objects(*cells)[np.arange(ROWS) % len(cells)]


BIG: dict[str, Callable[[], Any]] = {
    "floats": lambda: np.arange(float(ROWS)),
    "dates": lambda: DAYS,
    "timedeltas": lambda: np.arange(ROWS).astype("m8[s]"),
    "big-endian": lambda: np.arange(ROWS, dtype=">i4"),
    "fixed-width texts": lambda: np.array(TEXTS),
    "structure with dates": lambda: np.zeros(ROWS, dtype=[("day", "M8[D]"), ("n", "i4")]),
    "every other": lambda: np.arange(2 * ROWS)[::2],
    "every other date": lambda: np.arange(2 * ROWS).astype("M8[s]")[::2],
    "Fortran order": lambda: np.asfortranarray(np.arange(float(ROWS)).reshape(-1, 10)),
    "read-only": lambda: frozen(np.arange(ROWS)),
    "recarray": lambda: np.zeros(ROWS, dtype=[("n", "i4")]).view(np.recarray),
    "masked": lambda: np.ma.masked_array(DAYS, mask=np.arange(ROWS) % 2 == 0),
    "object texts": lambda: objects(*TEXTS),
    "object texts with all that is missing": lambda: with_cells(None, np.nan, pd.NA, pd.NaT),
    "object texts that repeat": lambda: spread(TEXTS[:5000]),
    "objects that repeat": lambda: spread(["a", None, np.nan, 1.5, True, (1, 2)]),
    "frame of numbers": lambda: pd.DataFrame(np.zeros((ROWS, 4)), columns=list("abcd")),
    "frame of dates": lambda: pd.DataFrame({"day": DAYS, "zoned": pd.Series(DAYS).dt.tz_localize("UTC")}),
    "frame with a date index": lambda: pd.DataFrame({"v": 1.0}, index=pd.DatetimeIndex(DAYS)),
    "every other row of a frame": lambda: pd.DataFrame({"a": DAYS, "b": 1.0, "c": TEXTS})[::2],
    "frame of objects": lambda: pd.DataFrame({"a": TEXTS, "b": spread(["x", None])}, dtype=object),
    "texts as string[python]": lambda: pd.Series(TEXTS, dtype="string[python]"),
    "texts as string[pyarrow]": lambda: pd.Series(TEXTS, dtype="string[pyarrow]"),
    "texts as pandas makes them": lambda: pd.DataFrame({"t": TEXTS}),
    "nullable ints": lambda: pd.Series([1, None] * ROWS, dtype="Int64"),
    "categories": lambda: pd.Series(spread(["a", "b"]), dtype="category"),
    "periods": lambda: pd.Series(pd.PeriodIndex(DAYS, freq="D")),
    "intervals": lambda: pd.Series(pd.interval_range(0, ROWS)),
    "sparse": lambda: pd.Series(pd.arrays.SparseArray(np.arange(ROWS) % 3)),
    "index of texts": lambda: pd.Series(1.0, index=pd.Index(TEXTS)),
    "multi-index": lambda: pd.Series(1.0, index=pd.MultiIndex.from_arrays([TEXTS, DAYS])),
    "Arrow table": lambda: pa.table({"a": DAYS, "b": TEXTS}),
    "Arrow dictionary": lambda: pa.array(TEXTS).dictionary_encode(),
    "Arrow lists": lambda: pa.array([[at] for at in range(ROWS)]),
    "polars frame": lambda: pl.DataFrame({"a": DAYS, "b": TEXTS}),
    "polars series of categories": lambda: pl.Series(TEXTS, dtype=pl.Categorical),
    "polars 128-bit": lambda: pl.Series([2**100] * ROWS, dtype=pl.Int128),
    "arrays in an object": lambda: {"model": [DAYS, {"weights": np.arange(float(ROWS))}]},
}


@pytest.mark.parametrize("name", BIG)
def test_large_buffer_is_not_copied_into_the_stream(name: str) -> None:
    value = BIG[name]()
    assert bytes_in_stream(value) < ENVELOPE
    same(value, round_trip(value))


def test_large_buffers_of_a_figure_are_not_copied_into_the_stream() -> None:
    small = bytes_in_stream(go.Figure(go.Scatter(y=np.arange(3.0))))
    large = bytes_in_stream(go.Figure(go.Scatter(y=np.arange(float(ROWS)))))
    assert large < small + 100


@pytest.mark.parametrize(
    "array",
    [np.arange(float(ROWS)), DAYS, frozen(np.arange(ROWS)), np.zeros((100, 100)).T, np.zeros(ROWS, "V3")],
    ids=["floats", "dates", "read-only", "transposed", "void"],
)
def test_frame_of_a_contiguous_array_is_the_memory_of_the_array(array: np.ndarray[Any, Any]) -> None:
    _, frame = encode(array)
    address = np.frombuffer(frame, dtype=np.uint8).__array_interface__["data"][0]
    assert address == array.__array_interface__["data"][0]
    assert memoryview(frame).nbytes == array.nbytes


def test_decoded_array_is_the_memory_of_its_frame() -> None:
    frames = stored(encode(DAYS))
    array = decode(frames)
    assert np.shares_memory(array, np.frombuffer(frames[1], dtype=np.uint8))


def test_decoded_frame_is_the_memory_of_its_frames() -> None:
    frames = stored(encode(pd.DataFrame({"a": np.arange(float(ROWS)), "day": DAYS})))
    frame = decode(frames)
    for name in frame:
        memory = frame[name].to_numpy()
        assert any(np.shares_memory(memory, np.frombuffer(part, dtype=np.uint8)) for part in frames[1:])


def test_small_arrays_stay_in_the_stream() -> None:
    assert len(encode([np.arange(10), pd.DataFrame({"a": [1, 2]}), pa.array([1, 2])])) == 1


def test_array_that_occurs_twice_is_stored_once() -> None:
    array = np.arange(ROWS)
    assert bytes_in_all({"a": array, "b": [array]}) < array.nbytes + ENVELOPE


WHOLE = pa.table({"a": range(ROWS), "b": TEXTS, "c": [[at] for at in range(ROWS)]})
POLARS = pl.DataFrame({"a": range(ROWS), "b": texts(ROWS, "a text too long to be kept in line {}")})

SLICES: dict[str, Callable[[], Any]] = {
    "array": lambda: np.arange(ROWS)[5:15],
    "Arrow table": lambda: WHOLE.slice(5, 10),
    "Arrow batch": lambda: WHOLE.to_batches()[0].slice(5, 10),
    "Arrow array": lambda: pa.array(TEXTS).slice(5, 10),
    "Arrow chunks": lambda: WHOLE["b"].slice(5, 10),
    "Arrow structs": lambda: pa.array([{"a": at} for at in range(ROWS)]).slice(5, 10),
    "Arrow booleans": lambda: pa.array([True, None] * 40_000).slice(5, 10),
    "Arrow-backed column": lambda: pd.Series(TEXTS, dtype="string[pyarrow]").iloc[5:15],
    "Arrow-backed dates": lambda: pd.Series(DAYS, dtype=pd.ArrowDtype(pa.timestamp("ms"))).iloc[5:15],
    "pandas texts": lambda: pd.DataFrame({"t": TEXTS}).iloc[5:15],
    "pandas frame": lambda: pd.DataFrame({"a": DAYS, "b": 1.0}).iloc[5:15],
    "objects": lambda: objects(*TEXTS)[5:15],
    "polars frame": lambda: POLARS.slice(5, 10),
    "polars series": lambda: POLARS["b"].slice(5, 10),
    "polars lists of texts": lambda: POLARS.select(pl.concat_list("b")).slice(5, 10),
    "polars filtered": lambda: POLARS.filter(pl.col("a") % 10_000 == 0),
}


if ARROW_16:
    SLICES["Arrow views"] = lambda: text_views(ROWS).slice(5, 10)


@pytest.mark.parametrize("name", SLICES)
def test_slice_stores_only_itself(name: str) -> None:
    value = SLICES[name]()
    assert bytes_in_all(value) < ENVELOPE
    same(value, round_trip(value))


def test_most_of_an_arrow_array_is_not_copied() -> None:
    array = pa.array(np.arange(ROWS)).slice(10)
    _, frame = encode(array)
    address = np.frombuffer(frame, dtype=np.uint8).__array_interface__["data"][0]
    assert address == array.buffers()[1].address


def test_texts_that_repeat_are_stored_as_a_dictionary() -> None:
    equal_but_different_objects = objects(*("town " + str(at % 100) for at in range(ROWS)))
    assert bytes_in_all(equal_but_different_objects) < ROWS + ENVELOPE


def test_objects_that_repeat_take_a_byte_each() -> None:
    assert bytes_in_all(spread(["a", None, True])) < ROWS + ENVELOPE


def test_long_matrix_of_objects_is_stored_by_columns() -> None:
    matrix = np.array([TEXTS, spread(["a", None])], dtype=object).T
    assert len(matrix) == ROWS
    assert bytes_in_stream(matrix) < ENVELOPE


@pytest.mark.parametrize(
    ("different", "others", "pays"),
    [
        (10, 0, True),
        (2000, 0, True),
        (50_000, 0, True),
        (400_000, 0, False),
        (500_000, 500_000, False),
        (2000, 990_000, True),
        (5, 999_995, True),
    ],
)
def test_whether_a_dictionary_pays_is_told_from_a_few_cells(different: int, others: int, pays: bool) -> None:
    size = 1_000_000
    cells = np.zeros(size, dtype=np.int64)  # the others are all the same
    cells[others:] = 1 + np.arange(size - others) % different
    cells = np.random.default_rng(0).permutation(cells)
    estimate = _distinct(cells[_sample(size)].tolist(), size)
    assert (estimate * REPEATS <= size) == pays


@pytest.mark.parametrize("rhythm", [1000, 3000, 50_000, 2**14])
def test_rhythm_of_a_column_does_not_hide_that_it_repeats(rhythm: int) -> None:
    size = 1_000_000
    cells = np.arange(size) % rhythm  # such as every shop on every day
    assert _distinct(cells[_sample(size)].tolist(), size) * REPEATS <= size


def test_column_that_is_half_empty_and_half_different_has_no_dictionary() -> None:
    cells = objects(*(text if at % 2 else None for at, text in enumerate(TEXTS)))
    sizes = [memoryview(frame).nbytes for frame in encode(cells)[1:]]
    text = sum(len(cell) for cell in cells if cell)
    assert sum(sizes) <= text + 4 * (ROWS + 1) + ROWS // 8 + ENVELOPE


@pytest.mark.parametrize(
    "name", ["object texts", "object texts that repeat", "object texts with all that is missing"]
)
def test_texts_of_more_than_two_gigabytes_get_offsets_of_64_bits(name: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(strings, "_MOST", 100)
    cells = BIG[name]()
    stored = encode(cells)
    assert b"large_string" in bytes(stored[0])
    same(cells, decode(stored))


def test_texts_of_two_gigabytes_would_become_one_array() -> None:
    together = _one_array(pa.chunked_array([["a"], ["b", None]]))
    assert together.to_pylist() == ["a", "b", None]
    assert together.type == pa.large_string()


def test_stream_is_not_larger_than_plain_pickle_for_small_values() -> None:
    value = {"a": [1, 2, (3, "x")], "b": {"c": 1.5}}
    assert bytes(encode(value)[0]) == pickle.dumps(value, 5)
