"""The table of values that have to come back as they went, each made anew by a function without arguments."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import functools
import ipaddress
import pathlib
import re
import tempfile
import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa
import scipy.sparse
from plotly.subplots import make_subplots
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.codec.classes import (
    Access,
    Colour,
    Counts,
    Measured,
    Metre,
    Order,
    Orders,
    Pickled,
    Place,
    Plain,
    Point,
    Prices,
    Slotted,
    Text,
    Words,
    shout,
)

Values = dict[str, Callable[[], Any]]

NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2

#: numpy's own example of a dtype that an extension defines.
rational = import_module(f"numpy.{'_core' if NUMPY_2 else 'core'}._rational_tests").rational

ARROW_16 = int(pa.__version__.partition(".")[0]) >= 16
PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3

#: More cells than the codec leaves to pickle, so that the ways for long columns are taken.
LONG = 3000


def objects(*cells: Any) -> np.ndarray[Any, Any]:
    """Return an array of just these objects, also when they are sequences."""
    array = np.empty(len(cells), dtype=object)
    for at, cell in enumerate(cells):
        array[at] = cell
    return array


def spread(*cells: Any) -> np.ndarray[Any, Any]:
    """Return a long array in which these very objects occur again and again."""
    return objects(*(cells[at % len(cells)] for at in range(LONG)))


def texts(count: int = LONG, form: str = "customer-{}") -> list[str]:
    return [form.format(at) for at in range(count)]


def scattered(cells: list[Any]) -> list[Any]:
    """Return the cells in an order that is not that of their memory."""
    return [cells[at] for at in np.random.default_rng(0).permutation(len(cells))]


def with_cells(*cells: Any) -> np.ndarray[Any, Any]:
    """Return a long array of different strings with a few other cells among them."""
    array = objects(*texts())
    for at, cell in enumerate(cells):
        array[7 + 13 * at] = cell
    return array


def cyclic_list() -> list[Any]:
    value: list[Any] = [1]
    value.append({"again": value})
    return value


def cyclic_array(length: int) -> np.ndarray[Any, Any]:
    array = objects(*texts(length))
    array[3] = array
    return array


def cyclic_object() -> Plain:
    parent, child = Plain(name="parent"), Plain(name="child")
    parent.child, child.parent = child, parent  # type: ignore[attr-defined]
    return parent


def shared_array() -> dict[str, Any]:
    array = np.arange(2000.0)
    return {"a": array, "b": [array], "dates": (days := np.arange(2000).astype("M8[s]")), "c": days}


def shared_cell() -> list[Any]:
    cell = [1, 2]
    return [cell, objects(cell, cell), spread(cell, None, "a"), pd.Series([cell, 1], dtype=object)]


def shared_frame() -> tuple[Any, ...]:
    frame = pd.DataFrame({"a": range(3)})
    return frame, {"again": frame}, frame


def mapped() -> np.ndarray[Any, Any]:
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype="f8", mode="w+", shape=(300,))


PYTHON: Values = {
    "none": lambda: None,
    "booleans": lambda: [True, False],
    "ints": lambda: [0, -1, 2**31, 2**63, -(2**200)],
    "floats": lambda: [0.0, -0.0, 1.5, float("inf"), -float("inf"), float("nan"), 5e-324],
    "complex": lambda: 1.5 - 2j,
    "text": lambda: ["", "a", "Zürich", "日本", "😀", "nul\0nul"],
    "long text": lambda: "Zürich" * 50_000,
    "lone surrogate": lambda: "\ud83d",
    "bytes": lambda: [b"", b"abc", bytes(100_000)],
    "bytearray": lambda: [bytearray(), bytearray(b"x" * 100_000)],
    "empty containers": lambda: [(), [], {}, set(), frozenset()],
    "tuple in list in dict": lambda: {"a": [(1, (2,)), [3]], ("k", 1): None},
    "dict with keys of all kinds": lambda: {1: "a", "1": "b", None: "c", (1, 2): "d", b"x": "e", 1.5: "f"},
    "dict keeps its order": lambda: {"z": 1, "a": 2, "m": 3},
    "sets": lambda: [{1, "a", None}, frozenset({(1, 2), b"x"})],
    "range and slice": lambda: [range(3, 10, 2), slice(1, None, 2)],
    "ellipsis": lambda: [..., NotImplemented],
    "ordered dict": lambda: collections.OrderedDict([("b", 1), ("a", 2)]),
    "default dict": lambda: collections.defaultdict(list, {"a": [1]}),
    "counter": lambda: collections.Counter("mississippi"),
    "deque": lambda: collections.deque([1, 2, 3], maxlen=5),
    "named tuple": lambda: Point(1.0, 2.0),
    "datetimes": lambda: [dt.datetime(2024, 2, 29, 1, 2, 3, 4), dt.date(1, 1, 1), dt.time(23, 59)],
    "timedelta": lambda: dt.timedelta(days=-1, microseconds=1),
    "datetime with zone": lambda: dt.datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Zurich"), fold=1),
    "datetime with offset": lambda: dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    "decimals": lambda: [decimal.Decimal("1.10"), decimal.Decimal("NaN"), decimal.Decimal("-0")],
    "fraction": lambda: fractions.Fraction(1, 3),
    "uuid": lambda: uuid.UUID(int=5),
    "path": lambda: pathlib.PurePosixPath("/a/b"),
    "pattern": lambda: re.compile("a+", re.IGNORECASE),
    "ip address": lambda: ipaddress.ip_address("10.0.0.1"),
    "enum": lambda: [Colour.RED, Colour.BLUE],
    "flag": lambda: Access.READ | Access.WRITE,
    "classes": lambda: [int, Order, Colour, dt.datetime],
    "functions": lambda: [len, shout, np.mean, dt.datetime.now],
    "partial": lambda: functools.partial(shout, "a").func,
    "dataclass": lambda: Order(3, [Order(4), {"a": (1,)}]),
    "frozen dataclass": lambda: {Place("Bern"): 1},
    "slots": lambda: Slotted([1], {"a"}),
    "object with attributes": lambda: Plain(a=1, b=[np.arange(3)]),
    "subclass of str": lambda: [Text("a"), {Text("k"): 1}],
    "subclass of list": lambda: Words(["a"]),
    "subclass of dict": lambda: Counts(a=1),
    "exception": lambda: ValueError("no", 3),
    "shared list": lambda: (lambda part: {"a": part, "b": part, "c": [part]})([1]),
    "cycle of lists": cyclic_list,
    "cycle of objects": cyclic_object,
}

DTYPES = [
    "?",
    "i1",
    "u1",
    "i2",
    "u2",
    "i4",
    "u4",
    "i8",
    "u8",
    "f2",
    "f4",
    "f8",
    "g",
    "F",
    "D",
    "G",
    ">i2",
    ">i4",
    ">f8",
    ">c16",
    "S",
    "U",
    ">U4",
    "S7",
]

NUMPY: Values = {
    **{f"dtype {code}": functools.partial(lambda code: np.arange(600).astype(code), code) for code in DTYPES},
    **{
        f"datetime {unit}": functools.partial(lambda unit: np.arange(600).astype(f"M8[{unit}]"), unit)
        for unit in ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "25s", "7D"]
    },
    **{
        f"timedelta {unit}": functools.partial(lambda unit: np.arange(600).astype(f"m8[{unit}]"), unit)
        for unit in ["Y", "D", "s", "ns", "3h"]
    },
    "datetime with NaT": lambda: np.array(["2024-01-01", "NaT"], dtype="M8[s]"),
    "datetime without unit": lambda: np.array(["NaT"], dtype="M8"),
    "timedelta without unit": lambda: np.array([5], dtype="m8"),
    "big-endian datetime": lambda: np.arange(600).astype(">M8[ns]"),
    "NaN with payload": lambda: np.array([0x7FF8_0000_0000_0001, -1], dtype="i8").view("f8"),
    "dtype with metadata": lambda: np.arange(600).astype(np.dtype("i4", metadata={"unit": "m"})),
    "dtype of a user": lambda: np.array([rational(1, 1 + at) for at in range(300)]),
    "void": lambda: np.arange(600).astype("i8").view("V8"),
    "structured": lambda: np.zeros(300, dtype=[("a", "i4"), ("b", "f8", (2, 2)), ("c", "U3")]),
    "structured with dates": lambda: np.ones(300, dtype=[("day", "M8[D]"), ("n", ">i2")]),
    "structured and aligned": lambda: np.zeros(300, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "structured with offsets": lambda: np.zeros(
        300, dtype={"names": ["a", "b"], "formats": ["i4", "f4"], "offsets": [4, 12], "itemsize": 24}
    ),
    "structured with titles": lambda: np.zeros(3, dtype=[(("Title", "a"), "i4")]),
    "structured with objects": lambda: np.array([(1, [1, 2]), (2, None)], dtype=[("a", "i4"), ("o", "O")]),
    "fields of a structured array": lambda: np.ones(300, dtype=[("a", "i4"), ("b", "f8")])["b"],
    "nested structure": lambda: np.zeros(300, dtype=[("a", [("b", "i2"), ("c", "M8[us]")])]),
    "itemsize zero": lambda: [np.zeros(3, dtype="S0"), np.zeros(3, dtype="V0"), np.zeros(2, dtype="U0")],
    "zero dimensions": lambda: [np.array(1.5), np.array("a"), np.array(5, dtype="M8[D]")],
    "zero dimensions, object": lambda: [np.array(None), np.array({"a": 1}, dtype=object)],
    "empty": lambda: [np.zeros(0), np.zeros((0, 3), "M8[s]"), np.zeros((3, 0), order="F"), np.zeros(0, "O")],
    "three dimensions": lambda: np.arange(6000.0).reshape(10, 20, 30),
    "Fortran order": lambda: np.asfortranarray(np.arange(6000.0).reshape(60, 100)),
    "Fortran order, dates": lambda: np.asfortranarray(np.arange(6000).reshape(60, 100).astype("M8[s]")),
    "Fortran order, objects": lambda: np.asfortranarray(objects(*range(6)).reshape(2, 3)),
    "transposed": lambda: np.arange(6000).reshape(60, 100).T,
    "axes in another order": lambda: np.arange(6000).reshape(10, 20, 30).transpose(1, 2, 0),
    "every other": lambda: np.arange(6000)[::2],
    "backwards": lambda: np.arange(6000.0)[::-1],
    "every other, dates": lambda: np.arange(6000).astype("M8[s]")[::2],
    "columns of a matrix": lambda: np.arange(6000.0).reshape(60, 100)[:, 3:50],
    "columns of a Fortran matrix": lambda: np.asfortranarray(np.arange(6000.0).reshape(60, 100))[5:40],
    "broadcast": lambda: np.broadcast_to(np.arange(3.0), (500, 3)),
    "broadcast objects": lambda: np.broadcast_to(objects("a", None), (2000, 2)),
    "read-only": lambda: frozen(np.arange(2000.0)),
    "read-only and small": lambda: frozen(np.arange(3)),
    "read-only dates": lambda: frozen(np.arange(2000).astype("M8[s]")),
    "read-only objects": lambda: frozen(objects("a", None)),
    "unaligned": lambda: np.zeros(8001, "u1")[1:].view("f8"),
    "recarray": lambda: np.rec.array([(1, "a"), (2, "b")], dtype=[("n", "i4"), ("s", "U1")]),
    "long recarray": lambda: np.zeros(500, dtype=[("n", "i4"), ("f", "f8")]).view(np.recarray),
    "matrix": lambda: np.eye(20).view(np.matrix),
    "chararray": lambda: np.array(["a", "bc"]).view(np.char.chararray),
    "memmap": mapped,
    "array with a unit": lambda: Measured(np.arange(600.0), "m"),
    "array that pickles itself": lambda: Pickled((3,), "i8", np.arange(3)),
    "masked": lambda: np.ma.masked_array(np.arange(600.0), mask=np.arange(600) % 3 == 0, fill_value=-1),
    "masked without mask": lambda: np.ma.masked_array(np.arange(600.0)),
    "masked, hard": lambda: np.ma.masked_array(np.arange(6), mask=[0, 1] * 3, hard_mask=True),
    "masked dates": lambda: np.ma.masked_array(np.arange(600).astype("M8[s]"), mask=[False, True] * 300),
    "masked, structured": lambda: np.ma.masked_array(
        np.ones(3, dtype=[("a", "i4"), ("b", "f8")]), mask=[(0, 1), (1, 0), (0, 0)]
    ),
    "masked objects": lambda: np.ma.masked_array(objects("a", None, [1]), mask=[0, 1, 0]),
    "masked constant": lambda: [np.ma.masked],
    "scalars": lambda: [np.float64(1.5), np.int8(-3), np.str_("a"), np.bytes_(b"b"), np.bool_(True)],
    "scalars of dates": lambda: [
        np.datetime64("2024-01-01", "D"),
        np.datetime64("NaT"),
        np.timedelta64(3, "h"),
    ],
    "scalar of a structure": lambda: np.zeros(2, dtype=[("a", "i4")])[0],
    "dtypes": lambda: [np.dtype("f8"), np.dtype("M8[25s]"), np.dtype([("a", "i4")])],
    "objects": lambda: objects(1, "a", None, np.nan, float("nan"), [1], {"a": (1,)}, np.float64("nan")),
    "object matrix": lambda: objects("a", None, 1, 2.5, b"x", ()).reshape(2, 3),
    "arrays in an array": lambda: objects(np.arange(3), np.array(["2024"], "M8[D]"), pd.Timestamp(0)),
    "lists of one length": lambda: objects([1, 2], [3, 4]),
    "an array that contains itself": lambda: cyclic_array(10),
    "a long array that contains itself": lambda: cyclic_array(LONG),
    "shared arrays": shared_array,
    "random state": lambda: np.random.RandomState(3).get_state(),
    "object array of numpy scalars": lambda: objects(*np.arange(50.0)),
}


def frozen(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.setflags(write=False)
    return array


CELLS: Values = {
    "different texts": lambda: objects(*texts()),
    "texts of other scripts": lambda: objects(*texts(form="Zürich {} 日本 😀")),
    "texts with NUL and separators": lambda: objects(*texts(form="a\0b\n\r{}\x1f\x85")),
    "empty texts": lambda: objects(*(text if at % 5 else "" for at, text in enumerate(texts()))),
    "texts that are equal but not one object": lambda: objects(*("ab" + str(at % 9) for at in range(LONG))),
    "equal texts with NUL": lambda: objects(*("ab\0" + str(at % 9) for at in range(LONG))),
    "equal texts that are empty or of other scripts": lambda: objects(
        *("日ü😀"[: at % 4] for at in range(LONG))
    ),
    "equal texts and None": lambda: objects(*("ab" + str(at % 9) if at % 4 else None for at in range(LONG))),
    "many texts that are equal but not one object": lambda: objects(
        *("ab" + str(at % 200) for at in range(LONG))
    ),
    "half None": lambda: objects(*(f"c{at}" if at % 2 else None for at in range(20_000))),
    "texts with None": lambda: with_cells(None, None),
    "texts with numpy.nan": lambda: with_cells(np.nan, np.nan),
    "texts with another nan": lambda: with_cells(float("nan"), np.float64("nan")),
    "texts with NA": lambda: with_cells(pd.NA),
    "texts with NaT": lambda: with_cells(pd.NaT),
    "texts with all that is missing": lambda: with_cells(None, np.nan, pd.NA, pd.NaT, None, np.nan),
    "texts with nan and another nan": lambda: with_cells(None, np.nan, float("nan")),
    "texts with numpy strings": lambda: with_cells(np.str_("x"), np.str_("y")),
    "texts with a subclass of str": lambda: with_cells(Text("x")),
    "texts with bytes": lambda: with_cells(b"x"),
    "texts with a lone surrogate": lambda: with_cells("\ud83d"),
    "texts with numbers": lambda: with_cells(1, 1.5, True, decimal.Decimal("1.10")),
    "texts with a list": lambda: with_cells([1, 2]),
    "texts with a date": lambda: with_cells(dt.date(2024, 1, 1), pd.Timestamp(0)),
    "repeated texts": lambda: spread(*texts(5)),
    "repeated texts, many": lambda: objects(*(scattered(texts(2000)) * 10)),
    "repeated texts, many, with marks": lambda: objects(
        *(scattered([*texts(1500), None, np.nan, pd.NA, pd.NaT]) * 10)
    ),
    "repeated texts, many, equal among themselves": lambda: objects(
        *(scattered(["ab" + str(at % 100) for at in range(2000)]) * 10)
    ),
    "repeated texts, many, with a number": lambda: objects(*(scattered([*texts(1500), 1]) * 10)),
    "repeated numbers and texts": lambda: spread(1, "a", None, 2.5, True, np.nan, pd.NA, pd.NaT, b"x"),
    "repeated strings of many kinds": lambda: spread("a", np.str_("a"), Text("a"), "\ud83d"),
    "only None": lambda: spread(None),
    "only numpy.nan": lambda: spread(np.nan),
    "only another nan": lambda: spread(float("nan")),
    "repeated booleans": lambda: spread(True, False, None),
    "repeated lists": lambda: spread([1], [1], {"a": 2}),
    "repeated dates": lambda: spread(dt.date(2024, 1, 1), dt.date(2024, 1, 2)),
    "a repeated cell, shared outside": shared_cell,
    "a long plain column": lambda: objects(*(decimal.Decimal(at) for at in range(LONG))),
    "a long column of ints": lambda: objects(*range(10**9, 10**9 + LONG)),
    "every other text": lambda: objects(*texts(2 * LONG))[::2],
    "texts backwards": lambda: objects(*texts())[::-1],
    "lines of a matrix": lambda: np.array([texts(), [None] * LONG, list(range(LONG))], dtype=object),
    "columns of a matrix of objects": lambda: np.array([texts(), [None] * LONG, texts()], dtype=object).T,
    "Fortran matrix of objects": lambda: np.asfortranarray(np.array([texts(), texts()], dtype=object)),
    "one line": lambda: objects(*texts()).reshape(1, -1),
    "one column": lambda: objects(*texts()).reshape(-1, 1),
    "three dimensions of objects": lambda: objects(*texts()).reshape(10, 20, 15),
    "never written": lambda: np.empty(LONG, dtype=object),
}


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def described(value: Any, **attributes: Any) -> Any:
    value.attrs.update(attributes)
    return value


def from_source(value: Any, **attributes: Any) -> Any:
    for name, attribute in attributes.items():
        setattr(value, name, attribute)
    return value


def mixed(rows: int = 50) -> pd.DataFrame:
    return frame(
        number=range(rows),
        share=np.linspace(0, 1, rows),
        day=pd.date_range("2024-01-01", periods=rows),
        zoned=pd.date_range("2024-10-26", periods=rows, freq="h", tz="Europe/Zurich"),
        name=pd.Series([f"n{at}" for at in range(rows)], dtype=object),
        flag=[at % 2 == 0 for at in range(rows)],
        kind=pd.Categorical([("a", "b")[at % 2] for at in range(rows)]),
        text=[f"t{at}" for at in range(rows)],
    )


def multi_index() -> pd.MultiIndex:
    return pd.MultiIndex.from_product([["a", "b"], pd.date_range("2024", periods=2)], names=["k", None])


PANDAS: Values = {
    "mixed frame": mixed,
    "long mixed frame": lambda: mixed(LONG),
    "empty frame": lambda: pd.DataFrame(),
    "frame without rows": lambda: mixed().iloc[:0],
    "frame without columns": lambda: mixed()[[]],
    "slice of a frame": lambda: mixed(LONG).iloc[100:2000:3],
    "some columns of a frame": lambda: mixed()[["day", "number"]],
    "row of a mixed frame": lambda: mixed().iloc[3],
    "filtered frame": lambda: mixed(LONG).query("number % 3 == 0"),
    "sorted frame": lambda: mixed().sort_values("share", ascending=False),
    "transposed frame": lambda: frame(a=range(50), b=range(50)).T,
    "frame over an array": lambda: pd.DataFrame(np.arange(6000.0).reshape(100, 60)),
    "frame over a Fortran array": lambda: pd.DataFrame(np.asfortranarray(np.arange(6000.0).reshape(100, 60))),
    "frame over a read-only array": lambda: pd.DataFrame(
        frozen(np.arange(6000.0).reshape(60, 100)), copy=False
    ),
    "duplicate column names": lambda: pd.DataFrame([[1, "a", 2.5]], columns=["x", "x", "y"]),
    "column names of all kinds": lambda: pd.DataFrame([[1, 2, 3, 4]], columns=["a", 1, None, ("t", 2)]),
    "multi-index rows": lambda: pd.DataFrame({"v": range(4)}, index=multi_index()),
    "multi-index columns": lambda: pd.DataFrame([range(4)], columns=multi_index()),
    "attrs": lambda: described(mixed(), source="a", nested={"b": [np.arange(3)]}),
    "no duplicate labels": lambda: mixed().set_flags(allows_duplicate_labels=False),
    "index with frequency": lambda: frame(v=range(5)).set_index(
        pd.date_range("2024", periods=5, freq="W-MON")
    ),
    "subclass of a frame": lambda: from_source(Orders({"a": [1, 2]}), source="shop"),
    "subclass of a series": lambda: from_source(Prices([1.5, 2.5], name="p"), currency="CHF"),
    "ordered categories": lambda: frame(
        c=pd.Categorical(["b", None, "a"], categories=["b", "a"], ordered=True)
    ),
    "categories nobody uses": lambda: pd.Series(pd.Categorical(["a"], categories=["z", "a", "y"])),
    "categories of numbers": lambda: pd.Series([1, 2, 1], dtype="category"),
    "categories of dates": lambda: pd.Series(pd.date_range("2024", periods=3, tz="UTC"), dtype="category"),
    "categories of intervals": lambda: pd.cut(pd.Series([1, 5, 9]), 3),
    **{
        f"dates in {unit}": functools.partial(
            lambda unit: pd.Series(pd.date_range("2024", periods=300, unit=unit)), unit
        )
        for unit in ("s", "ms", "us", "ns")
    },
    **{
        f"zoned dates in {unit}": functools.partial(
            lambda unit: frame(d=pd.date_range("2024", periods=300, tz="America/New_York", unit=unit)), unit
        )
        for unit in ("s", "ns")
    },
    "dates with a fixed offset": lambda: pd.Series(pd.to_datetime(["2024-01-01T00:00:00+02:00"])),
    "dates with NaT": lambda: pd.Series([pd.Timestamp("2024"), pd.NaT]),
    "timedeltas": lambda: pd.Series(pd.to_timedelta([1, 2, None], unit="h")),
    "timedelta index": lambda: pd.timedelta_range("1h", periods=300, freq="30min"),
    "periods": lambda: frame(p=pd.period_range("2024-01", periods=300, freq="M")),
    "period index": lambda: pd.period_range("2024", periods=5, freq="Q-NOV", name="q"),
    "intervals": lambda: pd.Series(pd.interval_range(0, 300, closed="left")),
    "interval index of dates": lambda: pd.interval_range(pd.Timestamp("2024"), periods=4),
    "sparse": lambda: frame(s=pd.arrays.SparseArray([0, 0, 1, 0] * 300)),
    "sparse with nan": lambda: pd.Series(pd.arrays.SparseArray([np.nan, 1.5, np.nan], kind="block")),
    **{
        f"nullable {dtype}": functools.partial(
            lambda dtype: pd.Series([1, None, 0] * 300, dtype=dtype), dtype
        )
        for dtype in ("Int8", "UInt16", "Int64", "Float32", "Float64", "boolean")
    },
    "nullable index": lambda: pd.Index([1, None, 3], dtype="Int64", name="n"),
    **{
        f"texts as {dtype}": functools.partial(
            lambda dtype: frame(t=pd.array([*texts(), None], dtype=dtype), n=1), dtype
        )
        for dtype in ("string[python]", "string[pyarrow]", "category", "object")
    },
    "index of texts": lambda: frame(v=range(LONG)).set_axis(pd.Index(texts(), name="key")),
    "index of objects": lambda: frame(v=range(LONG)).set_axis(pd.Index(texts(), dtype=object)),
    "series of objects": lambda: pd.Series([1, "a", None, np.nan, pd.NA, pd.NaT, [1], 2.5], dtype=object),
    "long columns of objects": lambda: pd.DataFrame(
        {"a": with_cells(None, np.nan), "b": spread("x", pd.NA), "c": with_cells(1)}, dtype=object
    ),
    "column of numpy arrays": lambda: frame(a=objects(np.arange(3), np.arange(2.0), None)),
    "column of dates as objects": lambda: frame(d=objects(dt.date(2024, 1, 1), None)),
    "column of decimals": lambda: frame(d=objects(decimal.Decimal("1.10"), np.nan)),
    "column of frames": lambda: frame(f=objects(frame(a=[1]), None)),
    "complex column": lambda: frame(c=[1 + 2j, 3.0]),
    "small floats": lambda: frame(h=np.arange(600, dtype="f4"), g=np.arange(600, dtype="i1")),
    **{
        f"Arrow-backed {kind}": functools.partial(
            lambda kind, cells: frame(a=pd.array(cells, dtype=pd.ArrowDtype(kind)), n=1), kind, cells
        )
        for kind, cells in [
            (pa.int16(), [1, None, 3]),
            (pa.string(), ["a", None, "ü"]),
            (pa.large_string(), ["a", None]),
            (pa.timestamp("us", "UTC"), [dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc), None]),
            (pa.date32(), [dt.date(2024, 1, 1), None]),
            (pa.decimal128(10, 2), [decimal.Decimal("1.10"), None]),
            (pa.list_(pa.int64()), [[1, 2], None, []]),
            (pa.struct([("a", pa.int64())]), [{"a": 1}, None]),
            (pa.bool_(), [True, None]),
            (pa.binary(), [b"a", None]),
            (pa.duration("ns"), [dt.timedelta(1), None]),
        ]
    },
    "slice of an Arrow-backed column": lambda: frame(a=pd.array(texts(), dtype="string[pyarrow]")).iloc[
        70:90
    ],
    "every other of an Arrow-backed column": lambda: pd.Series(texts(), dtype="string[pyarrow]")[::2],
    "several chunks": lambda: pd.concat(
        [pd.Series([1, 2], dtype="int64[pyarrow]"), pd.Series([3], dtype="int64[pyarrow]")]
    ),
    "range index": lambda: pd.RangeIndex(3, 30, 3, name="r"),
    "date index": lambda: pd.date_range("2024", periods=300, freq="B", name="d", tz="UTC"),
    "index without frequency": lambda: pd.DatetimeIndex(["2024-01-01", "2024-05-01"]),
    "category index": lambda: pd.CategoricalIndex(["a", "b"], ordered=True, name="c"),
    "multi-index": multi_index,
    "multi-index of codes not in order": lambda: multi_index()[::-1],
    "named index": lambda: pd.Index([1.5, 2.5], name=("a", 1)),
    "columns with a name": lambda: frame(a=[1]).rename_axis(columns="c"),
    "timestamps": lambda: [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024").as_unit("s"), pd.NaT],
    "pandas scalars": lambda: [pd.NA, pd.Timedelta("1h"), pd.Period("2024", "Y"), pd.Interval(0, 1)],
    "offsets": lambda: [pd.offsets.MonthEnd(2), pd.tseries.frequencies.to_offset("W-TUE")],
    "extension array": lambda: pd.array([1, None], dtype="Int64"),
    "categorical": lambda: pd.Categorical(["a", "b"], ordered=True),
    "shared frame": shared_frame,
    "frames in a dict": lambda: {"a": mixed(), "b": [mixed(5), mixed()["day"]]},
    "described": lambda: mixed().describe(),
    "pivoted": lambda: mixed().pivot_table("share", "kind", "flag", observed=True),
    "grouped and aggregated": lambda: mixed().groupby("kind", observed=True).agg({"share": ["mean", "max"]}),
    "unstacked": lambda: frame(v=range(4)).set_index(multi_index()).unstack(),
}

PYARROW: Values = {
    **{
        f"arrow {kind}": functools.partial(lambda kind, cells: pa.array(cells * 300, kind), kind, cells)
        for kind, cells in [
            (pa.null(), [None]),
            (pa.bool_(), [True, None, False]),
            (pa.int8(), [1, None]),
            (pa.uint64(), [2**64 - 1]),
            (pa.float64(), [1.5, None, -0.0]),
            (pa.string(), ["a", None, "ü"]),
            (pa.large_string(), ["a", None]),
            (pa.binary(), [b"a", None]),
            (pa.binary(3), [b"abc", None]),
            (pa.decimal128(20, 3), [decimal.Decimal("1.100"), None]),
            (pa.decimal256(60, 3), [decimal.Decimal("1.100"), None]),
            (pa.date32(), [dt.date(2024, 1, 1), None]),
            (pa.timestamp("ms", "Europe/Zurich"), [dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc), None]),
            (pa.time64("ns"), [dt.time(1), None]),
            (pa.duration("s"), [dt.timedelta(1), None]),
            (pa.month_day_nano_interval(), [(1, 2, 3), None]),
            (pa.list_(pa.string()), [["a", None], None, []]),
            (pa.large_list(pa.int8()), [[1], None]),
            (pa.list_(pa.int8(), 2), [[1, 2], None]),
            (pa.map_(pa.string(), pa.int64()), [[("a", 1)], None]),
            (pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": 1, "b": None}, None]),
            (pa.dictionary(pa.int8(), pa.string(), ordered=True), ["a", None, "b"]),
        ]
    },
    "arrow dense union": lambda: pa.UnionArray.from_dense(
        pa.array([0, 1, 0], pa.int8()), pa.array([0, 0, 1], pa.int32()), [pa.array([1, 2]), pa.array(["a"])]
    ),
    "arrow extension": lambda: pa.ExtensionArray.from_storage(Metre(), pa.array([1.5, None])),
    "arrow table": lambda: pa.table({"a": [1, None], "b": ["x", "y"]}),
    "arrow table with metadata": lambda: pa.table(
        [[1]], pa.schema([pa.field("a", pa.int8(), False, {"k": "v"})], {"m": "n"})
    ),
    "arrow table without columns": lambda: pa.table({}),
    "arrow table from pandas": lambda: pa.Table.from_pandas(mixed()),
    "arrow table of two chunks": lambda: pa.concat_tables([pa.table({"a": [1]}), pa.table({"a": [2, 3]})]),
    "slice of an arrow table": lambda: pa.table({"a": range(5000), "b": texts(5000)}).slice(7, 100),
    "arrow slice of dictionaries": lambda: pa.array(texts(5) * 500).dictionary_encode().slice(3, 20),
    "arrow slice of lists": lambda: pa.array([[at, None] for at in range(5000)]).slice(7, 9),
    "arrow slice of structs": lambda: pa.array([{"a": at, "b": str(at)} for at in range(5000)]).slice(7, 9),
    "arrow slice of booleans": lambda: pa.array([True, None, False] * 9000).slice(5, 11),
    "arrow slice of an extension": lambda: pa.ExtensionArray.from_storage(
        Metre(), pa.array(np.arange(5000.0))
    ).slice(3, 9),
    "empty arrow slice": lambda: pa.array(texts()).slice(5, 0),
    "arrow batch": lambda: pa.RecordBatch.from_pydict({"a": [1, 2], "b": ["x", None]}),
    "slice of an arrow batch": lambda: pa.RecordBatch.from_pydict({"a": range(5000)}).slice(10, 20),
    "arrow chunks": lambda: pa.chunked_array([[1], [], [2, None]]),
    "arrow chunks, none": lambda: pa.chunked_array([], pa.int8()),
    "arrow scalar": lambda: pa.scalar(1.5),
    "arrow schema": lambda: pa.schema([("a", pa.int8())], {"m": "n"}),
    "arrow type": lambda: [pa.int8(), pa.list_(pa.timestamp("s", "UTC"))],
}


def polars_frame() -> pl.DataFrame:
    kinds = pl.Enum(["a", "b"])
    return pl.DataFrame(
        {
            "i": pl.Series([1, None], dtype=pl.Int8),
            "u": pl.Series([1, 2], dtype=pl.UInt32),
            "f": pl.Series([1.5, float("nan")], dtype=pl.Float32),
            "s": ["a", None],
            "bin": [b"a", None],
            "b": [True, None],
            "date": [dt.date(2024, 1, 1), None],
            "datetime": pl.Series([dt.datetime(2024, 1, 1), None], dtype=pl.Datetime("ms", "Europe/Zurich")),
            "nanoseconds": pl.Series([dt.datetime(2024, 1, 1), None], dtype=pl.Datetime("ns")),
            "duration": pl.Series([dt.timedelta(1), None], dtype=pl.Duration("us")),
            "time": [dt.time(1), None],
            "null": [None, None],
            "decimal": pl.Series([decimal.Decimal("1.10"), None], dtype=pl.Decimal(10, 2)),
            "categorical": pl.Series(["x", None], dtype=pl.Categorical),
            "enum": pl.Series(["b", "a"], dtype=kinds),
            "list": [[1, 2], None],
            "texts": [["a", None], []],
            "array": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int16, 2)),
            "struct": [{"a": 1, "b": "x"}, {"a": None, "b": None}],
            "list of enum": pl.Series([["a"], []], dtype=pl.List(kinds)),
            "list of categories": pl.Series([["q"], None], dtype=pl.List(pl.Categorical)),
            "struct of categories": pl.Series([{"x": "a"}] * 2, dtype=pl.Struct({"x": pl.Categorical})),
        }
    )


POLARS: Values = {
    **{
        f"polars column {name}": functools.partial(lambda name: polars_frame().select(name), name)
        for name in polars_frame().columns
    },
    "polars frame": polars_frame,
    "polars series": lambda: pl.Series("n", texts()),
    "polars series of enum": lambda: polars_frame()["enum"],
    "polars long frame": lambda: pl.DataFrame({"a": range(LONG), "s": texts(form="not so short {}")}),
    "polars slice": lambda: pl.DataFrame({"a": range(LONG), "s": texts(form="not so short {}")}).slice(
        50, 20
    ),
    "polars filtered": lambda: pl.DataFrame({"s": texts(form="not so short {}")}).filter(
        pl.col("s").str.ends_with("7")
    ),
    "polars chunks": lambda: pl.concat([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]})], rechunk=False),
    "polars sorted up": lambda: pl.Series([1, 2, 3]).set_sorted(),
    "polars sorted down": lambda: pl.DataFrame({"a": [3, 2], "b": [1, 2]}).sort("a", descending=True),
    "polars empty": lambda: pl.DataFrame(),
    "polars without rows": lambda: polars_frame().clear(),
    "polars 128-bit": lambda: pl.DataFrame({"a": pl.Series([2**100, None], dtype=pl.Int128), "b": [1, 2]}),
    "polars lazy": lambda: pl.LazyFrame({"a": [1, 2]}).filter(pl.col("a") > 1),
    "polars in a dict": lambda: (lambda part: {"a": part, "b": [part]})(pl.DataFrame({"a": [1]})),
    "polars dtype": lambda: [pl.Int8(), pl.Datetime("ms", "UTC"), pl.List(pl.Enum(["a"]))],
}


def trained(model: Any) -> Any:
    features = np.arange(40.0).reshape(20, 2)
    return model.fit(features, features[:, 0] > 10)


def figure_without_template() -> go.Figure:
    figure = go.Figure(go.Scatter(y=[1]))
    figure.layout.template = None
    return figure


OTHERS: Values = {
    "figure": lambda: go.Figure(go.Scatter(x=np.arange(3000.0), y=np.arange(3000), name="a")),
    "figure of dates": lambda: px.line(x=pd.date_range("2024", periods=50), y=range(50), title="t"),
    "figure with subplots": lambda: make_subplots(2, 1).add_trace(go.Bar(x=["a"], y=[1]), row=2, col=1),
    "figure with frames": lambda: go.Figure(
        data=[go.Scatter(y=[1])], frames=[go.Frame(data=[go.Scatter(y=np.arange(3))], name="f")]
    ),
    "figure with an empty template": lambda: go.Figure().update_layout(template=None),
    "figure without template": figure_without_template,
    "figure with a template": lambda: go.Figure(layout={"template": "plotly_dark"}),
    "figure in a dict": lambda: {"figure": go.Figure(go.Heatmap(z=np.eye(50)))},
    "trace": lambda: go.Bar(x=["a"], y=[1]),
    "regression": lambda: trained(LinearRegression()),
    "pipeline": lambda: trained(make_pipeline(StandardScaler(), LinearRegression())),
    "forest": lambda: trained(RandomForestClassifier(3, random_state=0)),
    "not trained": lambda: RandomForestClassifier(),
    "csr matrix": lambda: scipy.sparse.random(50, 50, 0.1, "csr", random_state=0),
    "coo array": lambda: scipy.sparse.coo_array(np.eye(30)),
    "dok matrix": lambda: scipy.sparse.dok_matrix(np.eye(3)),
}


def text_views(rows: int = LONG) -> pa.Array:
    return pa.array(texts(rows, "long enough not to be in line {}")).cast(pa.string_view())


NEWER: Values = {}
if NUMPY_2:
    NEWER |= {
        "numpy strings of any length": lambda: np.array([*texts(), "x" * 50], np.dtypes.StringDType()),
        "numpy strings with missing": lambda: np.array(
            ["a", None, ""], dtype=np.dtypes.StringDType(na_object=None)
        ),
    }
if ARROW_16:
    NEWER |= {
        "arrow run-end encoded": lambda: pa.RunEndEncodedArray.from_arrays(
            pa.array([2, 5], pa.int32()), pa.array(["a", None])
        ),
        "arrow views": lambda: text_views(),
        "arrow slice of views": lambda: text_views().slice(5, 10),
        "arrow slice of binary views": lambda: pa.array(
            [b"long enough not to be in line", None, b""] * 900, pa.binary_view()
        ).slice(5, 10),
        "arrow views without text": lambda: pa.array([None, None], pa.string_view()),
        "arrow list views": lambda: pa.array([[1], None, [2, 3]] * 900, pa.list_view(pa.int64())).slice(
            5, 10
        ),
    }
if PANDAS_3:
    NEWER |= {
        "str": lambda: frame(t=pd.array([*texts(), np.nan], dtype="str"), n=1),
        "str in Python": lambda: pd.Series(texts(), dtype=pd.StringDtype("python", na_value=np.nan)),
        "slice of a str column": lambda: pd.Series(texts(), dtype="str").iloc[5:9],
        "str column with a cell set": lambda: frame(t=texts()).replace("customer-5", None),
        "frame of str": lambda: pd.DataFrame([texts(5)] * 3, columns=texts(5)),
    }

VALUES: Values = {}
for table in (PYTHON, NUMPY, CELLS, PANDAS, PYARROW, POLARS, OTHERS, NEWER):
    assert not VALUES.keys() & table.keys()
    VALUES |= table
