"""Arrays of every dtype of numpy come back the same in all that belongs to them, or are refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dash_brain.codec import encode
from dash_brain.errors import EncodeError
from tests.codec.classes import Measured
from tests.codec.sameness import same
from tests.codec.stored import round_trip
from tests.codec.test_properties import dtypes, thorough
from tests.torture.sizes import size

notes = st.none() | st.dictionaries(st.sampled_from(["unit", "k"]), st.sampled_from([1, "m"]), min_size=1)
simple = (
    dtypes | st.just(np.dtype("O")) | st.sampled_from([np.dtype("M8[25s]"), np.dtype("S0"), np.dtype("V5")])
)


def noted(dtype: Any, note: Any) -> Any:
    return dtype if note is None else np.dtype(dtype, metadata=note)


annotated = st.builds(noted, simple, notes)


def structure(parts: list[Any], align: bool, titles: bool, space: int, record: bool) -> Any:
    names = [f"f{at}" for at in range(len(parts))]
    described: dict[str, Any] = {"names": names, "formats": parts}
    if titles:
        described["titles"] = [f"Title {at}" for at in range(len(parts))]
    dtype = np.dtype(described, align=align)
    if space and not align:
        described["itemsize"] = dtype.itemsize + space
        dtype = np.dtype(described)
    return np.dtype((np.record, dtype)) if record and dtype.itemsize else dtype


def structures(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = st.lists(inner, min_size=1, max_size=3)
    made = st.builds(structure, parts, st.booleans(), st.booleans(), st.sampled_from([0, 3]), st.booleans())
    sized = inner.filter(lambda dtype: dtype.itemsize > 0)  # numpy makes no arrays of nothing
    subarrays = st.builds(lambda dtype: np.dtype([("sub", dtype, (2, 1))]), sized)
    return st.builds(noted, made | subarrays, notes)


any_dtype = st.recursive(annotated, structures, max_leaves=4)


def same_dtypes(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    assert a == b
    for name in (
        "str",
        "itemsize",
        "alignment",
        "isalignedstruct",
        "type",
        "names",
        "shape",
    ):
        assert getattr(a, name) == getattr(b, name), name
    # Pickle itself changes these: numpy 2.2 makes {} of None for datetimes, and 2.5 sets a bit of its own.
    assert (a.metadata or None) == (b.metadata or None)
    assert a.flags & 0xFF == b.flags & 0xFF
    assert repr(a) == repr(b)
    if a.subdtype:
        same_dtypes(a.base, b.base)
    for name in a.names or ():
        assert a.fields[name][1:] == b.fields[name][1:]
        same_dtypes(a.fields[name][0], b.fields[name][0])


@settings(thorough, max_examples=size(120, 4000))
@given(any_dtype)
def test_any_dtype_comes_back_the_same(dtype: Any) -> None:
    same_dtypes(dtype, round_trip(dtype))


@pytest.mark.filterwarnings("ignore:overflow encountered")  # numpy's default fill value of float16
@settings(thorough, max_examples=size(120, 4000))
@given(
    any_dtype, st.sampled_from([1, 5, 1500]), st.sampled_from(["plain", "record", "unit", "masked", "cell"])
)
def test_any_array_keeps_its_dtype_and_kind_or_is_refused(dtype: Any, length: int, kind: str) -> None:
    array: Any = np.zeros((length, 2), dtype)[:, :1]
    try:
        if kind == "record":
            array = array.view(np.recarray)
        elif kind == "unit":
            array = Measured(array, "m")
        elif kind == "masked":
            array = np.ma.masked_array(array, mask=np.zeros(array.shape, bool))
        elif kind == "cell":
            array = array[0, 0]
    except (TypeError, ValueError):
        return
    with suppress(EncodeError):
        encode(array)
        read = round_trip(array)
        same(array, read)
        if hasattr(array, "dtype"):
            same_dtypes(array.dtype, read.dtype)


@pytest.mark.parametrize("length", [3, 3000])
def test_metadata_of_objects_and_attributes_of_their_arrays_come_back(length: int) -> None:
    dtype = np.dtype("O", metadata={"unit": "m"})
    for cells in (["a", None] * length, [f"c{at}" for at in range(length)], [[1]] * length):
        array = np.empty(len(cells), dtype)
        for at, cell in enumerate(cells):
            array[at] = cell
        for value in (array, Measured(array, "kg"), Measured(array.astype(object), "kg")):
            read = round_trip(value)
            same(value, read)
            assert read.dtype.metadata == value.dtype.metadata
