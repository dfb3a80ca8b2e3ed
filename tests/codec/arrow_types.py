"""Generated types of Arrow with all their parameters, and arrays of them."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from tests.codec.classes import Metre, Scaled

#: Type and cells of what is not nested.
LEAVES: list[tuple[Any, list[Any]]] = [
    (pa.null(), [None]),
    (pa.bool_(), [True, None, False]),
    *((make(), [1, None, 0]) for make in (pa.int8, pa.uint16, pa.int32, pa.uint64)),
    (pa.float64(), [1.5, None]),
    (pa.float32(), [0.5, None]),
    (pa.string(), ["a", None, "üü", "long enough not to be in line"]),
    (pa.large_string(), ["a", None]),
    (pa.binary(), [b"", None]),
    (pa.large_binary(), [b"a"]),
    (pa.binary(3), [b"abc", None]),
    (pa.decimal128(20, 3), [decimal.Decimal("1.100"), None]),
    (pa.decimal256(60, -2), [decimal.Decimal(100), None]),
    (pa.date32(), [dt.date(2024, 1, 1), None]),
    (pa.date64(), [dt.date(2024, 1, 1)]),
    *((pa.timestamp(unit, zone), [0, None, 86_400]) for unit, zone in [("s", None), ("ns", "Europe/Zurich")]),
    *((pa.timestamp("us", zone), [1]) for zone in ("UTC", "+02:00")),
    (pa.time32("s"), [1, None]),
    (pa.time32("ms"), [1]),
    (pa.time64("us"), [1]),
    (pa.time64("ns"), [1, None]),
    *((pa.duration(unit), [1, None]) for unit in ("s", "ms", "us", "ns")),
    (pa.month_day_nano_interval(), [(1, 2, 3), None]),
]
for name, arguments, cells in [
    ("string_view", (), ["a", None, "long enough not to be in line"]),
    ("binary_view", (), [b"long enough not to be in line", None]),
    ("decimal32", (5, 2), [decimal.Decimal("1.10"), None]),
    ("decimal64", (12, 2), [decimal.Decimal("1.10"), None]),
    ("bool8", (), [1, 0, None]),
    ("uuid", (), [b"0123456789abcdef", None]),
    ("json_", (pa.large_string(),), ["{}", None]),
    ("opaque", (pa.int16(), "kind", "vendor"), [1, None]),
]:
    if hasattr(pa, name):  # depends on the version of pyarrow
        LEAVES.append((getattr(pa, name)(*arguments), cells))

names = st.sampled_from(["", "a", "b", "item", "key", "ü"])
metadata = st.none() | st.dictionaries(st.sampled_from([b"unit", b"\xff"]), st.sampled_from([b"m", b""]))
leaves = st.sampled_from([kind for kind, _ in LEAVES])


def fields(kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(field, names, kinds, st.booleans(), metadata)


def required(kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    kinds = kinds.filter(lambda kind: not pa.types.is_null(getattr(kind, "storage_type", kind)))
    return st.builds(pa.field, names, kinds, st.just(False), metadata)


def field(name: str, kind: Any, nullable: bool, notes: Any) -> Any:
    return pa.field(name, kind, nullable or pa.types.is_null(kind), notes)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    kinds = [
        fields(inner).map(pa.list_),
        fields(inner).map(pa.large_list),
        st.builds(pa.list_, fields(inner), st.integers(0, 3)),
        st.lists(fields(inner), max_size=3).map(pa.struct),
        st.builds(pa.map_, required(inner), fields(inner), keys_sorted=st.booleans()),
        st.builds(
            pa.dictionary,
            st.sampled_from([pa.int8(), pa.uint16(), pa.int64()]),
            st.one_of(leaves.filter(may_be_coded), fields(leaves).map(pa.list_)),
            st.booleans(),
        ),
        st.builds(
            Scaled, inner.filter(lambda kind: not isinstance(kind, pa.BaseExtensionType)), st.integers()
        ),
        st.just(Metre()),
        st.builds(
            pa.fixed_shape_tensor,
            st.sampled_from([pa.int8(), pa.float64()]),
            st.just([2, 3]),
            st.sampled_from([None, ["x", "y"]]),
            st.sampled_from([None, [1, 0]]),
        ),
        st.lists(fields(inner), min_size=1, max_size=3).flatmap(
            lambda found: st.builds(
                pa.union,
                st.just(found),
                st.sampled_from(["sparse", "dense"]),
                st.just([3, 1, 7][: len(found)]),
            )
        ),
    ]
    if hasattr(pa, "list_view"):
        kinds += [fields(inner).map(pa.list_view), fields(inner).map(pa.large_list_view)]
    if hasattr(pa, "run_end_encoded"):
        runs = st.sampled_from([pa.int16(), pa.int32(), pa.int64()])
        kinds.append(st.builds(pa.run_end_encoded, runs, leaves.filter(may_be_coded)))
    return st.one_of(kinds)


def may_be_coded(kind: Any) -> bool:
    """Say whether dictionaries and runs may have values of the type."""
    return not isinstance(kind, pa.BaseExtensionType) and not pa.types.is_null(kind)


types = st.recursive(leaves, _nested, max_leaves=4)


def array_of(kind: Any, length: int, *, nulls: bool = True) -> Any:
    """Return an array of the type."""
    for leaf, cells in LEAVES:
        if kind is leaf or (not kind.num_fields and kind == leaf and not isinstance(kind, pa.DictionaryType)):
            cells = [cell for cell in cells if nulls or cell is not None] or cells
            return _leaf(kind, [cells[at % len(cells)] for at in range(length)])
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, array_of(kind.storage_type, length, nulls=nulls))
    if isinstance(kind, pa.DictionaryType):
        values = array_of(kind.value_type, 2)
        codes = pa.array([at % 2 for at in range(length)], kind.index_type)
        return pa.DictionaryArray.from_arrays(codes, values, ordered=kind.ordered)
    return _assembled(kind, length, nulls=nulls)


def _leaf(kind: Any, cells: list[Any]) -> Any:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, pa.array(cells, kind.storage_type))
    return pa.array(cells, kind)


def _numbers(*numbers: int, dtype: Any = np.int32) -> Any:
    return pa.py_buffer(np.array(numbers, dtype))


def _assembled(kind: Any, length: int, *, nulls: bool) -> Any:
    """Return a nested array, put together from its parts."""
    valid = _numbers(*([0b11111101] * (length // 8 + 1)), dtype=np.uint8) if nulls else None
    if pa.types.is_union(kind):
        codes = [kind.type_codes[at % kind.num_fields] for at in range(length)]
        buffers = [None, _numbers(*codes, dtype=np.int8)]
        if kind.mode == "dense":
            buffers.append(_numbers(*range(length)))
        children = [array_of(kind.field(at).type, length) for at in range(kind.num_fields)]
    elif pa.types.is_struct(kind):
        buffers, children = [valid], [array_of(field.type, length) for field in kind]
    elif pa.types.is_fixed_size_list(kind):
        buffers, children = [valid], [array_of(kind.value_type, length * kind.list_size)]
    elif pa.types.is_map(kind):
        buffers = [valid, _numbers(*range(length + 1))]
        entries = pa.struct([kind.key_field, kind.item_field])
        parts = [array_of(kind.key_type, length, nulls=False), array_of(kind.item_type, length)]
        children = [pa.Array.from_buffers(entries, length, [None], children=parts)]
    elif hasattr(pa.types, "is_run_end_encoded") and pa.types.is_run_end_encoded(kind):
        ends = pa.array([at + 1 for at in range(length)], kind.run_end_type)
        buffers, children = [None], [ends, array_of(kind.value_type, length)]
    else:
        buffers, children = _of_list(kind, length, valid)
    return pa.Array.from_buffers(kind, length, buffers, children=children)


def _of_list(kind: Any, length: int, valid: Any) -> tuple[list[Any], list[Any]]:
    dtype: Any = np.int64 if "large" in str(kind).partition("<")[0] else np.int32
    if "view" in str(kind).partition("<")[0]:
        places, sizes = _numbers(*range(length), dtype=dtype), _numbers(*([1] * length), dtype=dtype)
        return [valid, places, sizes], [array_of(kind.value_type, length)]
    return [valid, _numbers(*range(length + 1), dtype=dtype)], [array_of(kind.value_type, length)]
