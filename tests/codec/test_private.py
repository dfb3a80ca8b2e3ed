"""What a reader gets is its own: it can be changed in every way, and nobody else sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import SGDClassifier

from dash_brain.codec import decode, encode
from tests.codec.sameness import same
from tests.codec.stored import round_trip, stored
from tests.codec.values import VALUES, frozen, mixed, objects, texts

ROWS = 3000


def arrays_in(value: Any) -> list[np.ndarray[Any, Any]]:
    """Return the arrays that a value consists of."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, pd.DataFrame):
        return [array for block in value._mgr.blocks for array in arrays_in(block.values)]
    return arrays_in(value._ndarray) if hasattr(value, "_ndarray") else []


@pytest.mark.parametrize("name", [name for name in VALUES if "read-only" in name or "broadcast" in name])
def test_array_that_was_read_only_comes_back_writable(name: str) -> None:
    arrays = arrays_in(round_trip(VALUES[name]()))
    assert arrays
    for array in arrays:
        array[...] = array.flat[0]


@pytest.mark.parametrize("array", [np.arange(10.0), np.arange(ROWS), np.zeros(ROWS, "M8[s]")])
def test_stored_array_keeps_its_own_flag(array: np.ndarray[Any, Any]) -> None:
    frozen(array)
    encode(array)
    assert not array.flags.writeable


def memory_of_floats(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = next(b.values for b in frame._mgr.blocks if b.dtype == "float64")
    return array


CHANGES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "set a cell": lambda f: f.iloc.__setitem__((0, 0), 99),
    "set a label": lambda f: f.loc.__setitem__((1, "share"), -1.0),
    "set a text": lambda f: f.loc.__setitem__((2, "text"), "changed"),
    "set an object": lambda f: f.loc.__setitem__((2, "name"), "changed"),
    "set a date": lambda f: f.loc.__setitem__((2, "day"), pd.Timestamp("2000")),
    "set a zoned date": lambda f: f.loc.__setitem__((2, "zoned"), pd.NaT),
    "set a category": lambda f: f.loc.__setitem__((2, "kind"), "b"),
    "set a column": lambda f: f.__setitem__("number", 0),
    "add a column": lambda f: f.__setitem__("new", f["share"] * 2),
    "delete a column": lambda f: f.__delitem__("day"),
    "insert a column": lambda f: f.insert(0, "first", 1),
    "rename in place": lambda f: f.rename(columns={"share": "s"}, inplace=True),
    "sort in place": lambda f: f.sort_values("share", ascending=False, inplace=True),
    "drop in place": lambda f: f.drop(index=[0, 1], inplace=True),
    "reset the index": lambda f: f.reset_index(inplace=True),
    "set the index": lambda f: f.set_index("name", inplace=True),
    "mask": lambda f: f.__setitem__("share", f["share"].where(f["share"] > 0.5)),
    "add a row": lambda f: f.loc.__setitem__(len(f), f.iloc[0]),
    "change the labels": lambda f: setattr(f, "columns", range(f.shape[1])),
    "update": lambda f: f.update(pd.DataFrame({"share": [7.0]})),
    "clip": lambda f: f.__setitem__("share", f["share"].clip(0.2, 0.4)),
    "change the memory": lambda f: memory_of_floats(f).__setitem__(..., 0),
}


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("name", CHANGES)
def test_changed_frame_is_what_a_frame_on_the_heap_becomes_and_the_stored_one_stays(name: str) -> None:
    original, frames = mixed(ROWS), encode(mixed(ROWS))
    mine, yours = decode(stored(frames)), decode(stored(frames))
    on_the_heap = mixed(ROWS)
    CHANGES[name](mine)
    CHANGES[name](on_the_heap)
    pd.testing.assert_frame_equal(mine, on_the_heap)
    same(original, yours)
    same(original, decode(stored(frames)))


ARRAY_CHANGES: dict[str, Callable[[np.ndarray[Any, Any]], Any]] = {
    "set": lambda a: a.__setitem__(3, a[0]),
    "fill": lambda a: a.fill(a[1]),
    "sort": lambda a: a.sort(),
    "sort backwards": lambda a: a[::-1].sort(),
    "partition": lambda a: a.partition(5),
    "put": lambda a: np.put(a, [1, 2], a[0]),
    "copy into": lambda a: np.copyto(a, a[::-1].copy()),
    "swap bytes": lambda a: a.byteswap(inplace=True),
    "shuffle": lambda a: np.random.default_rng(0).shuffle(a),
    "add": lambda a: np.add(a, np.ones(a.shape, "i8"), out=a, casting="unsafe"),
}


@pytest.mark.parametrize("name", ARRAY_CHANGES)
@pytest.mark.parametrize("dtype", ["i8", "f4", "m8[s]"])
def test_array_can_be_changed_in_place(name: str, dtype: str) -> None:
    original = np.arange(ROWS)[::-1].astype(dtype)
    frames = encode(original.copy())
    mine, yours, on_the_heap = decode(stored(frames)), decode(stored(frames)), original.copy()
    ARRAY_CHANGES[name](mine)
    ARRAY_CHANGES[name](on_the_heap)
    np.testing.assert_array_equal(mine, on_the_heap)
    np.testing.assert_array_equal(yours, original)


def test_changing_what_was_read_leaves_the_value_that_was_stored() -> None:
    original = {"a": np.arange(ROWS), "b": objects(*texts()), "c": [1, {"d": 2}]}
    frames = encode(original)
    read = decode(stored(frames))
    read["a"][:] = 0
    read["b"][:] = None
    read["c"][1]["d"] = 3
    for unchanged in (original, decode(stored(frames))):
        same({"a": np.arange(ROWS), "b": objects(*texts()), "c": [1, {"d": 2}]}, unchanged)


def test_model_goes_on_learning() -> None:
    features, labels = np.arange(40.0).reshape(20, 2), np.arange(20) > 9
    model = round_trip(SGDClassifier(random_state=0).partial_fit(features, labels, classes=[False, True]))
    model.partial_fit(features, labels)
    assert model.t_ > 21
