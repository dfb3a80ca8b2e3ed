"""Strict comparison of two values: types, dtypes, flags, order, names, and who shares what with whom."""

from __future__ import annotations

import decimal
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa
import scipy.sparse
from pandas.api.extensions import ExtensionArray
from sklearn.base import BaseEstimator
from sklearn.tree._tree import Tree


def same(a: Any, b: Any) -> None:
    """Raise an AssertionError that names the first place where ``b`` differs from ``a``."""
    Comparison().compare(a, b, "value")


class Comparison:
    """One comparison; it remembers which object of ``a`` became which object of ``b``."""

    def __init__(self) -> None:
        self.partners: dict[int, int] = {}
        self.kept_alive: list[Any] = []

    def compare(self, a: Any, b: Any, path: str) -> None:
        assert type(a) is type(b), f"{path}: {type(a)} became {type(b)}"
        compare = self.comparison_for(a)
        if compare is None:
            equal_atoms(a, b, path)
            return
        self.kept_alive.append((a, b))
        if id(a) in self.partners:
            assert self.partners[id(a)] == id(b), f"{path}: no longer shared"
            return
        self.partners[id(a)] = id(b)
        compare(a, b, path)

    def comparison_for(self, a: Any) -> Callable[[Any, Any, str], None] | None:
        by_kind: list[tuple[Any, Callable[[Any, Any, str], None]]] = [
            (np.ma.MaskedArray, self.masked),
            (np.ndarray, self.arrays),
            (pd.DataFrame, self.frames),
            (pd.Series, self.series),
            (pd.Index, self.indexes),
            (ExtensionArray, self.extension_arrays),
            (pd.api.extensions.ExtensionDtype, self.extension_dtypes),
            ((pa.Table, pa.RecordBatch), self.tables),
            (pa.ChunkedArray, self.chunked_arrays),
            (pa.Array, self.arrow_arrays),
            (pa.DataType, self.arrow_types),
            (pa.Field, self.arrow_fields),
            (pa.Schema, self.arrow_schemas),
            (pa.Scalar, self.arrow_scalars),
            ((pl.DataFrame, pl.Series), self.polars),
            (pl.LazyFrame, self.lazy),
            (go.Figure, self.figures),
            ((scipy.sparse.sparray, scipy.sparse.spmatrix), self.objects),
            (dict, self.dicts),
            ((list, tuple, deque), self.sequences),
            ((BaseEstimator, Tree, Exception), self.objects),
        ]
        for kind, compare in by_kind:
            if isinstance(a, kind):
                return compare
        plain_object = type(a).__eq__ is object.__eq__ and hasattr(a, "__dict__") and not callable(a)
        return self.objects if plain_object else None

    def attributes(self, a: Any, b: Any, path: str, *names: str) -> None:
        for name in names:
            self.compare(getattr(a, name), getattr(b, name), f"{path}.{name}")

    def sequences(self, a: Any, b: Any, path: str) -> None:
        assert len(a) == len(b), f"{path}: {len(a)} parts became {len(b)}"
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            self.compare(x, y, f"{path}[{at}]")

    def dicts(self, a: Any, b: Any, path: str) -> None:
        self.sequences(list(a), list(b), f"{path}.keys()")
        self.sequences(list(a.values()), list(b.values()), f"{path}.values()")
        self.compare(getattr(a, "__dict__", None), getattr(b, "__dict__", None), f"{path}.__dict__")
        if hasattr(a, "default_factory"):
            assert a.default_factory is b.default_factory, path

    def objects(self, a: Any, b: Any, path: str) -> None:
        self.compare(getattr(a, "args", None), getattr(b, "args", None), f"{path}.args")
        state = "__getstate__" in dir(type(a)) and type(a).__module__.startswith("sklearn")
        self.compare(a.__getstate__() if state else vars(a), b.__getstate__() if state else vars(b), path)

    def arrays(self, a: Any, b: Any, path: str) -> None:
        assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{path}: {a.dtype} {a.shape}, {b.dtype} {b.shape}"
        assert (a.dtype.str, repr(a.dtype)) == (b.dtype.str, repr(b.dtype)), path
        assert a.dtype.metadata == b.dtype.metadata, path
        if a.flags.forc:
            assert (a.flags.c_contiguous, a.flags.f_contiguous) == (
                b.flags.c_contiguous,
                b.flags.f_contiguous,
            ), f"{path}: order"
        assert b.flags.writeable, f"{path}: read-only"
        assert b.flags.aligned >= a.flags.aligned, f"{path}: not aligned"
        if a.dtype.hasobject or a.dtype.kind == "T":
            self.cells(a.ravel().tolist(), b.ravel().tolist(), path)
        else:
            assert memory(a) == memory(b), f"{path}: content"
        if type(a) is not np.memmap:  # its attributes describe its file
            self.compare(getattr(a, "__dict__", None), getattr(b, "__dict__", None), f"{path}.__dict__")

    def cells(self, a: list[Any], b: list[Any], path: str) -> None:
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            assert (x is np.nan) == (y is np.nan), f"{path}[{at}]: numpy.nan"
            self.compare(x, y, f"{path}[{at}]")

    def masked(self, a: Any, b: Any, path: str) -> None:
        if a is np.ma.masked:
            assert b is np.ma.masked, path
            return
        assert (a._mask is np.ma.nomask) == (b._mask is np.ma.nomask), f"{path}: mask"
        assert (a.hardmask, a._baseclass) == (b.hardmask, b._baseclass), path
        if a._mask is not np.ma.nomask:
            self.arrays(a._mask, b._mask, f"{path}.mask")
        self.attributes(a, b, path, "_fill_value", "data", "_optinfo")

    def frames(self, a: Any, b: Any, path: str) -> None:
        assert len(a._mgr.blocks) == len(b._mgr.blocks), f"{path}: blocks"
        self.attributes(a, b, path, "columns", "index", "attrs", *a._metadata)
        assert a.flags == b.flags, f"{path}.flags"
        for at in range(a.shape[1]):
            self.compare(a.iloc[:, at].array, b.iloc[:, at].array, f"{path}[{at}]")
        for at, (x, y) in enumerate(zip(a._mgr.blocks, b._mgr.blocks, strict=True)):
            self.compare(x.values, y.values, f"{path}.block[{at}]")

    def series(self, a: Any, b: Any, path: str) -> None:
        self.attributes(a, b, path, "index", "array", "attrs", "name", *a._metadata)
        assert a.flags == b.flags, f"{path}.flags"

    def indexes(self, a: Any, b: Any, path: str) -> None:
        self.attributes(a, b, path, "names")
        if isinstance(a, pd.MultiIndex):
            self.attributes(a, b, path, "levels", "sortorder")
            # pandas keeps the codes read-only.
            for x, y in zip(a.codes, b.codes, strict=True):
                assert x.dtype == y.dtype, f"{path}.codes"
                assert x.tobytes() == y.tobytes(), f"{path}.codes"
        elif isinstance(a, pd.RangeIndex):
            self.attributes(a, b, path, "start", "stop", "step")
        else:
            assert getattr(a, "freq", None) == getattr(b, "freq", None), f"{path}.freq"
            self.compare(a._data, b._data, f"{path}.data")

    def extension_arrays(self, a: Any, b: Any, path: str) -> None:
        self.extension_dtypes(a.dtype, b.dtype, f"{path}.dtype")
        assert getattr(a, "freq", None) == getattr(b, "freq", None), f"{path}.freq"
        if isinstance(a, pd.Categorical):
            assert a.ordered == b.ordered, f"{path}.ordered"
            self.attributes(a, b, path, "categories")
        if isinstance(a, pd.arrays.SparseArray):
            assert a.sp_index.equals(b.sp_index), f"{path}.sp_index"
            assert type(a.sp_index) is type(b.sp_index), f"{path}.sp_index"
        inner = ("_ndarray", "_data", "_mask", "_left", "_right", "sp_values", "fill_value")
        pa_array = getattr(a, "_pa_array", None)
        if pa_array is not None:  # pandas combines the chunks itself
            self.arrow_types(pa_array.type, b._pa_array.type, f"{path}.type")
            assert pa_array.combine_chunks().equals(b._pa_array.combine_chunks()), path
            return
        self.attributes(a, b, path, *(name for name in inner if hasattr(a, name)))

    def extension_dtypes(self, a: Any, b: Any, path: str) -> None:
        assert type(a) is type(b), path
        assert a == b, f"{path}: {a} became {b}"
        assert (str(a), repr(a), hash(a)) == (str(b), repr(b), hash(b)), path
        for name in (
            "categories",
            "ordered",
            "subtype",
            "closed",
            "freq",
            "tz",
            "unit",
            "storage",
            "na_value",
        ):
            if getattr(a, name, None) is not None:
                self.compare(getattr(a, name), getattr(b, name), f"{path}.{name}")
        if isinstance(a, pd.ArrowDtype):
            self.arrow_types(a.pyarrow_dtype, b.pyarrow_dtype, path)

    def tables(self, a: Any, b: Any, path: str) -> None:
        self.compare(a.schema, b.schema, f"{path}.schema")
        assert a.num_rows == b.num_rows, f"{path}: rows"
        self.sequences(a.columns, b.columns, path)

    def chunked_arrays(self, a: Any, b: Any, path: str) -> None:
        self.arrow_types(a.type, b.type, f"{path}.type")
        self.sequences(a.chunks, b.chunks, path)

    def arrow_arrays(self, a: Any, b: Any, path: str) -> None:
        with suppress(pa.ArrowInvalid):
            a.validate(full=True)
            b.validate(full=True)
        self.arrow_types(a.type, b.type, f"{path}.type")
        assert a.null_count == b.null_count, f"{path}.null_count"
        assert a.equals(b) or str(a) == str(b), path  # NaN differs from NaN for Arrow
        if isinstance(a, pa.DictionaryArray):
            self.attributes(a, b, path, "dictionary")

    def arrow_types(self, a: Any, b: Any, path: str) -> None:
        """Compare all that belongs to a type; equality of Arrow leaves much out."""
        assert type(a) is type(b), path
        assert str(a) == str(b), path
        assert a.equals(b, check_metadata=True), path
        for name in ("list_size", "keys_sorted", "ordered", "scale", "type_codes", "mode"):
            assert getattr(a, name, None) == getattr(b, name, None), f"{path}.{name}"
        for name in ("storage_type", "value_type", "index_type", "run_end_type"):
            if isinstance(getattr(a, name, None), pa.DataType):
                self.arrow_types(getattr(a, name), getattr(b, name), f"{path}.{name}")
        parts = [(a.field(at), b.field(at)) for at in range(a.num_fields)]
        if isinstance(a, pa.MapType):
            parts += [(a.key_field, b.key_field), (a.item_field, b.item_field)]
        for x, y in parts:
            self.arrow_fields(x, y, path)

    def arrow_fields(self, a: Any, b: Any, path: str) -> None:
        path = f"{path}[{a.name!r}]"
        assert (a.name, a.nullable, a.metadata) == (b.name, b.nullable, b.metadata), path
        self.arrow_types(a.type, b.type, path)

    def arrow_schemas(self, a: Any, b: Any, path: str) -> None:
        assert (a.metadata, len(a)) == (b.metadata, len(b)), f"{path}.metadata"
        for x, y in zip(a, b, strict=True):
            self.arrow_fields(x, y, path)

    def arrow_scalars(self, a: Any, b: Any, path: str) -> None:
        self.arrow_types(a.type, b.type, f"{path}.type")
        assert a.is_valid == b.is_valid, path
        assert a.equals(b) or str(a) == str(b), path

    def polars(self, a: Any, b: Any, path: str) -> None:
        frame = isinstance(a, pl.DataFrame)
        assert (a.schema if frame else a.dtype) == (b.schema if frame else b.dtype), path
        assert a.shape == b.shape, path
        assert a.equals(b), path
        assert a.n_chunks() == b.n_chunks(), f"{path}: chunks"
        for x, y in zip(a.get_columns() if frame else [a], b.get_columns() if frame else [b], strict=True):
            assert x.name == y.name, path
            known = {"SORTED_ASC", "SORTED_DESC"}
            assert {n: x.flags[n] for n in known} == {n: y.flags[n] for n in known}, f"{path}: sorted"

    def lazy(self, a: Any, b: Any, path: str) -> None:
        self.polars(a.collect(), b.collect(), path)

    def figures(self, a: Any, b: Any, path: str) -> None:
        self.compare_contents(a._data, b._data, f"{path}.data")
        self.compare_contents(a._layout, b._layout, f"{path}.layout")
        for x, y in zip(a.frames, b.frames, strict=True):
            self.compare_contents(x._props, y._props, f"{path}.frames")
        self.attributes(a, b, path, "_grid_str", "_grid_ref")

    def compare_contents(self, a: Any, b: Any, path: str) -> None:
        """Compare the properties of a figure, whose arrays plotly itself keeps read-only."""
        assert type(a) is type(b), f"{path}: {type(a)} became {type(b)}"
        if isinstance(a, dict):
            assert a.keys() == b.keys(), path  # plotly has an order of its own
            for key in a:
                self.compare_contents(a[key], b[key], f"{path}[{key!r}]")
        elif isinstance(a, (list, tuple)):
            for at, (x, y) in enumerate(zip(a, b, strict=True)):
                self.compare_contents(x, y, f"{path}[{at}]")
        elif isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, path
            np.testing.assert_array_equal(a, b)
        else:
            self.compare(a, b, path)


def equal_atoms(a: Any, b: Any, path: str) -> None:
    """Compare values without parts."""
    if isinstance(a, (set, frozenset)):
        identify: Callable[[Any], tuple[str, str]] = partial(lambda x: (type(x).__name__, repr(x)))
        assert sorted(map(identify, a)) == sorted(map(identify, b)), path
    elif isinstance(a, float):
        assert struct.pack("d", a) == struct.pack("d", b) or (a != a and b != b), path
    elif isinstance(a, decimal.Decimal):  # comparing a signalling NaN raises
        assert a.as_tuple() == b.as_tuple(), path
    elif isinstance(a, np.generic):
        assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes()), path
    elif a is pd.NA or a is pd.NaT or isinstance(a, (type, type(None))):
        assert a is b, path
    else:
        assert a == b or (a != a and b != b), f"{path}: not equal"
        assert hash_of(a) == hash_of(b), f"{path}: hash"
        assert default_repr(a) or repr(a) == repr(b), f"{path}: repr"


def memory(array: Any) -> bytes:
    """Return the bytes of an array, also what lies between the fields of a structure."""
    size = array.dtype.itemsize
    bare = np.asarray(array)
    return (bare.view(f"V{size}") if array.dtype.num == 20 and size else bare).tobytes()


def hash_of(value: Any) -> int | None:
    try:
        return None if value != value else hash(value)
    except TypeError:
        return None


def default_repr(value: Any) -> bool:
    return type(value).__repr__ is object.__repr__ or callable(value)
