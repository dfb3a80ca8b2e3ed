"""Values that libraries take for one another have different fingerprints, and equal ones have equal ones."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from dash_brain.errors import EncodeError
from dash_brain.memo.fingerprints import of_call, of_function, of_value, values

NANOSECONDS = [pa.timestamp("ns"), pa.timestamp("ns", "Europe/Rome"), pa.duration("ns"), pa.time64("ns")]


@pytest.mark.parametrize("kind", NANOSECONDS, ids=str)
def test_nanoseconds_count(kind):
    for missing in ([], [None]):
        one, other = (pa.array([number, *missing], kind) for number in (1, 2))
        assert of_value(one) != of_value(other)
        assert of_value(one[0]) != of_value(other[0])
        assert of_value(pl.Series(one)) != of_value(pl.Series(other))


def test_numbers_beyond_python_and_fields_of_one_name_count():
    assert of_value(moments := pa.array([2**62, None], pa.timestamp("us"))) == of_value(moments.slice(0))
    assert of_value(pl.Series([1], dtype=pl.Int128)) != of_value(pl.Series([2], dtype=pl.Int128))
    fields = [pa.field("a", pa.int8()), pa.field("a", pa.int8())]
    rows = [
        pa.StructArray.from_arrays([pa.array([1], "i1"), pa.array([n], "i1")], fields=fields) for n in (2, 3)
    ]
    assert of_value(rows[0][0]) != of_value(rows[1][0])


def test_names_of_the_entries_of_a_map_count(tmp_path):
    from pyarrow import parquet

    usual = pa.map_(pa.string(), pa.int8())
    parquet.write_table(pa.schema([("m", usual)]).empty_table(), tmp_path / "maps.parquet")
    other = parquet.read_schema(tmp_path / "maps.parquet").field("m").type
    assert (of_value(usual) == of_value(other)) == (usual.field(0) == other.field(0))


def below_missing(kind, junk):
    """Return one cell and a missing one, with something below it."""
    cells = np.array([1, junk], "i8").view("u1")
    return pa.Array.from_buffers(kind, 2, [pa.py_buffer(b"\x01"), pa.py_buffer(cells.tobytes())])


@pytest.mark.parametrize("kind", [pa.int64(), *NANOSECONDS, pa.float64(), pa.date64(), pa.binary(8)], ids=str)
def test_what_lies_below_a_missing_cell_does_not_count(kind):
    assert of_value(below_missing(kind, 7)) == of_value(below_missing(kind, 9))
    assert of_value(below_missing(kind, 7)) != of_value(below_missing(kind, 7)[:1])


@pytest.mark.parametrize("sort", [int, str, lambda n: (n,), lambda n: [n, str(n)][n % 2]])
def test_order_of_a_large_set_does_not_count(sort, monkeypatch):
    monkeypatch.setattr(values, "_SORTED_TOGETHER", 10)
    numbers = list(range(100))
    known = of_value({sort(n) for n in numbers})
    random.Random(1).shuffle(numbers)
    assert of_value({sort(n) for n in reversed(numbers)}) == of_value({sort(n) for n in numbers}) == known
    assert of_value({sort(n) for n in range(1, 101)}) != known


def test_sentinel_is_known_as_the_default_that_it_is_and_refused_elsewhere():
    nothing = object()

    def function(a, b=nothing, c=nothing): ...

    def known(*args, **kwargs):
        return of_call(function, args, kwargs)

    assert known(1) == known(1, nothing) == known(1, nothing, c=nothing)
    assert len({known(1), known(1, 2), known(1, c=2)}) == 3
    for other in (object(), [object()]):
        with pytest.raises(EncodeError, match=r"Argument 'b' .*: object"):
            known(1, other)


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


#: Pairwise different, though marshal or a hasty look would take some for others.
ALIKE = [
    [[1, 2]],
    [[1], [2]],
    [[1], 2],
    [(1,), (2,)],
    [(True,), (2,)],
    [(1.0,), (2,)],
    [[np.float64(1)], [2]],
    [[b"1"], [2]],
    [[bytearray(b"1")], [2]],
    [{1: 2}],
    [{1: [2]}],
    [{(1,): 2}],
    [Plain(a=1), Plain(b=2)],
    [Plain(a=1, b=2)],
    [Plain(a=1), Plain(b=[2])],
    [{"a": 1}, {"b": 2}],
    Plain(a=Plain(b=1)),
    Plain(a=1),
    {"a": 1},
]


def test_nested_containers_and_small_objects_are_told_apart():
    known = [of_value(value) for value in ALIKE]
    assert len(set(known)) == len(ALIKE)
    assert [of_value([value] * 2000) for value in ALIKE] == [of_value([value] * 2000) for value in ALIKE]
    assert len({of_value([value] * 2000) for value in ALIKE}) == len(ALIKE)


LIBRARY = """
class Wrapper:
    def __init__(self, function): self.function, self.calls = function, 0
    def __call__(self, x): self.calls += 1; return self.function(x)
    def __reduce__(self): raise TypeError

class Slotted(Wrapper):
    __slots__ = ("function",)
"""


@pytest.mark.parametrize("made", ["Wrapper(one)", "Wrapper([one])", "Slotted(one)"])
def test_functions_that_wrappers_of_libraries_hold_count(made, tmp_path, monkeypatch):
    (folder := tmp_path / "site-packages").mkdir()
    (folder / "wrapping_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(folder)

    def function(n):
        scope = {"__name__": "generated", "__file__": "/generated.py"}
        code = f"from wrapping_library import *\ndef one(x): return x + {n}\nwrapped = {made}"
        exec(f"{code}\ndef function(x): return wrapped(x)", scope)
        return scope["function"], scope["wrapped"]

    (first, wrapped), (second, _) = function(1), function(2)
    assert (known := of_function(first)) != of_function(second)
    wrapped.calls += 1
    assert of_function(first) == known


def test_metadata_of_a_dtype_counts():
    kinds = [np.dtype("i4"), np.dtype("i4", metadata={"unit": "m"}), np.dtype("i4", metadata={"unit": "s"})]
    assert (
        len({of_value(kind) for kind in kinds}) == len({of_value(np.zeros(1, kind)) for kind in kinds}) == 3
    )


def tables_of_cells():
    nested = [
        pa.array([["a"], None, ["b", "c"], []]),
        pa.array([[1], None, [2, 3], []], pa.large_list(pa.int64())),
        pa.array([[1, 2], None, [3, 4], [5, 6]], pa.list_(pa.int64(), 2)),
        pa.array([{"a": 1}, None, {"a": None}, {"a": 2}]),
        pa.array([[{"a": "x"}], None, [{"a": None}], [{"a": "y"}]]),
        pa.array([[("a", 1)], None, [("b", 2)], []], pa.map_(pa.string(), pa.int64())),
        pa.array([True, None, False, True]),
    ]
    for kind in ("list_view", "large_list_view"):
        if hasattr(pa, kind):
            nested.append(pa.array([[1], None, [2, 3], []], getattr(pa, kind)(pa.int64())))
    return nested


@pytest.mark.parametrize("cells", tables_of_cells(), ids=lambda cells: str(cells.type))
def test_nested_cells_count_wherever_they_lie(cells):
    around = pa.concat_arrays([cells, cells, cells])
    anew = pa.array(cells.to_pylist(), cells.type)
    assert of_value(cells) == of_value(around.slice(4, 4)) == of_value(anew)
    assert len({of_value(around.slice(start, 4)) for start in range(4)}) == 4
    parted = pa.chunked_array([cells.slice(0, 1), cells.slice(1)])
    assert of_value(parted) == of_value(pa.chunked_array([cells]))


def test_missing_cells_and_cells_of_the_next_column_are_told_apart():
    numbers, marks = pa.array([0, 1], pa.uint8()), pa.array([1, 0], pa.uint8())
    missing = pa.array([None, 1], pa.uint8())
    parts = [[missing, numbers], [marks, missing], [marks, numbers], [missing, missing]]
    assert len({of_value(pa.StructArray.from_arrays(part, ["a", "b"])) for part in parts}) == 4


def test_classes_of_extension_types_count():
    class One(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.int64(), "tests.one")

        def __arrow_ext_serialize__(self):
            return b""

    class Two(One):
        pass

    one, two = (pa.ExtensionArray.from_storage(kind(), pa.array([1])) for kind in (One, Two))
    assert of_value(one) != of_value(two)
