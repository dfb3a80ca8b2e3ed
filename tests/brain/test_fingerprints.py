"""Different content has different fingerprints; equal content has equal ones, in every process."""

from __future__ import annotations

import datetime
import functools
import math
import pickle
import subprocess
import sys
import threading
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dash_brain import codec
from dash_brain.brain import Brain
from dash_brain.errors import EncodeError
from dash_brain.memo.fingerprints import of_call, of_function, of_value
from dash_brain.stores import MemoryStore

FRAME = pd.DataFrame(
    {
        "number": np.arange(6.0),
        "object": pd.Series(list("abcabc"), dtype=object),
        "text": list("xyzxyz"),
        "day": pd.date_range("2024-01-01", periods=6, tz="Europe/Paris"),
        "kind": pd.Categorical(list("uvuvuv")),
        "maybe": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
    },
    index=pd.Index(list("abcdef"), name="key"),
)


def with_attrs(frame):
    frame.attrs["unit"] = "m"
    return frame


#: Pairwise different.
VALUES = [
    None,
    0,
    False,
    0.0,
    -0.0,
    "",
    b"",
    (),
    [],
    {},
    set(),
    frozenset(),
    [[]],
    ["a", "b"],
    ["ab"],
    ("a", "b"),
    {"a", "b"},
    {"a": 1, "b": 2},
    math.nan,
    datetime.date(2024, 1, 1),
    datetime.datetime(2024, 1, 1),
    math,
    math.sin,
    int,
    np.zeros(2),
    np.zeros(2, dtype="f4"),
    np.zeros((1, 2)),
    np.zeros(2, dtype="M8[ns]"),
    np.zeros(2, dtype="M8[us]"),
    np.float64(0),
    np.array(["a", None], dtype=object),
    pd.Series([0.0, 0.0]),
    pd.Series([0.0, 0.0], name="a"),
    pd.Series([0.0, 0.0], index=[1, 2]),
    pd.Index([0.0, 0.0]),
    pd.DataFrame({"a": [0.0, 0.0]}),
    pd.DataFrame({"b": [0.0, 0.0]}),
    pd.DataFrame({"a": [0.0, 0.0]}, index=["x", "y"]),
    pd.DataFrame({"a": [0, 0]}),
    FRAME,
    FRAME.rename_axis(columns="columns"),
    FRAME[::-1],
    FRAME.assign(number=FRAME["number"].where(FRAME["number"] != 3, 3.5)),
    FRAME.assign(object=["a", "b", "c", "a", "b", "d"]),
    FRAME.assign(text=["x", "y", "z", "x", "y", None]),
    FRAME.assign(kind=FRAME["kind"].cat.as_ordered()),
    FRAME.assign(maybe=pd.array([1, 2, 3, 4, 5, 6], dtype="Int64")),
    with_attrs(pd.DataFrame({"a": [0, 0]})),
    pd.DataFrame({"a": [0, 0]}).set_flags(allows_duplicate_labels=False),
    with_attrs(pd.Series([0.0, 0.0])),
    pd.Series([0.0, 0.0]).set_flags(allows_duplicate_labels=False),
    pa.table({"a": [1, 2]}),
    pa.table({"a": [1, 3]}),
]


def test_different_values_have_different_fingerprints():
    assert len(set(map(of_value, VALUES))) == len(VALUES)


STORED = [value for value in VALUES if value is not math]


@pytest.mark.parametrize("value", STORED, ids=lambda value: type(value).__name__)
def test_value_has_its_fingerprint_still_when_it_comes_out_of_a_store(value):
    if (
        value in (math, math.sin, int)
        if not hasattr(value, "shape") and not isinstance(value, pa.Table)
        else False
    ):
        return
    again = codec.decode([bytearray(frame) for frame in codec.encode(value)])
    assert of_value(again) == of_value(value)


def test_copies_other_layouts_and_shared_parts_make_no_difference():
    text = "".join(["some ", "text"])
    assert of_value([text, text]) == of_value(["some text", "".join(["some", " text"])])
    wide = np.arange(12.0).reshape(3, 4)
    assert (
        of_value(wide)
        == of_value(np.asfortranarray(wide))
        == of_value(np.arange(24.0)[::2].reshape(3, 4) / 2)
    )
    fixed = wide.copy()
    fixed.flags.writeable = False
    assert of_value(fixed) == of_value(wide)
    assert of_value(FRAME) == of_value(FRAME.copy()) == of_value(pd.concat([FRAME[:3], FRAME[3:]]))
    apart = pd.DataFrame({"a": [1, 2]}).assign(b=[3, 4])
    assert of_value(apart) == of_value(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))


def test_sets_and_functions_have_the_same_fingerprints_in_every_process():
    code = (
        "from dash_brain.memo.fingerprints import of_function, of_value\n"
        "import tests.brain.test_fingerprints as here\n"
        "print(of_value({'a', ('b', frozenset('cde'))}), of_value(here.FRAME), of_function(here.outer(1)))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(seen) == 1


def outer(factor, *, default=0):
    def inner(x, y=default):
        return [factor * part for part in (x, y) if part not in {"a", "b", "c"}]

    return inner


def with_code(code, **scope):
    scope = {"__name__": "made", "FACTOR": 2, **scope}
    exec(code, scope)
    return scope["function"]


def test_function_is_known_by_what_it_does():
    assert of_function(outer(1)) == of_function(outer(1))
    assert of_function(outer(1)) != of_function(outer(2))
    assert of_function(outer(1)) != of_function(outer(1, default=1))
    assert of_function(lambda x: x + 1) != of_function(lambda x: x + 2)
    one, other, moved = map(
        with_code,
        [
            "def function(x): return x + 1",
            "def function(x): return x + 2",
            "\n\n\ndef function(x): return x + 1",
        ],
    )
    assert of_function(one) == of_function(moved) != of_function(other)


def test_change_in_a_function_of_the_same_module_is_a_change():
    code = "def part(x): return x + {}\ndef function(x): return [part(one) for one in x]"
    assert of_function(with_code(code.format(1))) == of_function(with_code(code.format(1)))
    assert of_function(with_code(code.format(1))) != of_function(with_code(code.format(2)))
    cached = "import functools\n@functools.lru_cache\n" + code
    assert of_function(with_code(cached.format(1))) != of_function(with_code(cached.format(2)))


def test_partials_methods_and_builtins_are_functions_too():
    assert of_function(functools.partial(outer, 1)) != of_function(functools.partial(outer, 2))
    assert of_function([1].count) != of_function([2].count)
    assert of_function(sorted) != of_function(sum)


def test_arguments_count_however_they_are_passed():
    def function(a, b=2, *more, c=3, **others): ...

    same = [((1,), {}), ((1, 2), {}), ((), {"a": 1}), ((1,), {"c": 3, "b": 2})]
    assert len({of_call(function, *call) for call in same}) == 1
    different = [((1,), {}), ((2,), {}), ((1, 2, 3), {}), ((1,), {"d": 3}), ((1,), {"c": 4}), ((1, (2,)), {})]
    assert len({of_call(function, *call) for call in different}) == len(different)


@pytest.mark.parametrize("culprit", [(x for x in ()), threading.Lock(), sys.stdout], ids=repr)
def test_what_cannot_be_told_apart_is_refused_with_the_path_to_it(culprit):
    with pytest.raises(EncodeError, match=r"^value\['model'\]\.callback: "):
        of_value({"model": types.SimpleNamespace(callback=culprit)})


def cyclic():
    value = []
    value.append(value)
    return value


def test_function_over_something_without_fingerprint_is_refused_with_a_way_out():
    def function():
        return stream

    with open("/dev/null") as stream, pytest.raises(EncodeError, match="closes over"):
        of_function(function)


def test_functions_in_other_places_are_other_arguments():
    first, second = (outer(factor) for factor in (1, 2))
    assert of_value([first, second, first]) != of_value([first, second, second])


def test_what_is_tried_counts():
    tried = "def function(x):\n  try:\n    x()\n{}  except ValueError:\n    pass\n{}"
    inside, after = tried.format("    x()\n", ""), tried.format("", "  else:\n    x()\n")
    assert of_function(with_code(inside)) != of_function(with_code(after))


def test_same_name_in_a_module_of_another_file_is_another_function(monkeypatch):
    seen = set()
    for file in ("/north/app.py", "/south/app.py"):
        module = types.ModuleType("made")
        module.__file__ = file
        monkeypatch.setitem(sys.modules, "made", module)
        seen.add(of_function(with_code("def function(): pass")))
    assert len(seen) == 2


#: Functions that differ in one thing.
DIFFERENT = {
    "keyword defaults": ["def function(*, x=1): return x", "def function(*, x=2): return x"],
    "operations": ["def function(x): return x < x", "def function(x): return x > x"],
    "attributes": ["def function(x): return x.real", "def function(x): return x.imag"],
    "names of variables": ["def function(x): return locals()", "def function(y): return locals()"],
    "names of what it closes over": [
        f"def make({name}):\n  def inner(): return [{name}, locals()]\n  return inner\nfunction = make(1)"
        for name in "xy"
    ],
    "kinds of arguments": ["def function(*x): return x", "def function(**x): return x"],
    "positions": ["def function(x, y): return x", "def function(x, *, y): return x"],
    "a function inside": ["def function(): return lambda: 1", "def function(): return lambda: 2"],
    "what a function inside calls": [
        f"def part(): return {number}\ndef function(): return lambda: part()" for number in (1, 2)
    ],
    "names": ["def first(): pass\nfunction = first", "def second(): pass\nfunction = second"],
}


@pytest.mark.parametrize("codes", DIFFERENT.values(), ids=DIFFERENT)
def test_functions_that_differ_in_one_thing_are_different(codes):
    assert len({of_function(with_code(code)) for code in codes}) == 2


def test_functions_of_different_modules_are_different():
    code = "def function(): pass"
    assert of_function(with_code(code, __name__="one")) != of_function(with_code(code, __name__="other"))


def test_functions_of_other_modules_that_it_calls_count():
    code = "def function(): return part()"
    first, second = (with_code(f"def function(): return {n}", __name__="other") for n in (1, 2))
    assert of_function(with_code(code, part=first)) != of_function(with_code(code, part=second))


def test_change_in_a_memoized_function_that_it_calls_is_a_change():
    code = "@memoize\ndef part(): return {}\ndef function(): return part()"
    first, same, other = (
        with_code(code.format(n), memoize=Brain(store=MemoryStore()).memoize()) for n in (1, 1, 2)
    )
    assert of_function(first) == of_function(same) != of_function(other)


def test_methods_are_known_by_their_objects():
    assert of_function(Pair(b"a", b"b").joined) == of_function(Pair(b"a", b"b").joined)
    assert of_function(Pair(b"a", b"b").joined) != of_function(Pair(b"a", b"c").joined)


def test_functions_count_by_what_they_do_whether_they_are_one_or_copies():
    one = outer(1)
    assert of_value([one, one]) == of_value([outer(1), outer(1)])


def linked():
    """Return a function that calls another one, and a function that says which."""
    target = None

    def node():
        return target()

    def call(other):
        nonlocal target
        target = other

    return node, call


def test_functions_that_call_one_another_have_fingerprints():
    (first, call_first), (second, call_second) = linked(), linked()
    call_first(second), call_second(first)
    in_a_circle = of_function(first)
    assert in_a_circle == of_function(first)
    call_second(second)
    assert of_function(first) != in_a_circle


def test_variable_that_is_not_assigned_yet_has_a_fingerprint():
    code = "def make():\n  def inner(): return later\n  if {}: later = 1\n  return inner\nfunction = make()"
    assert of_function(with_code(code.format(0))) != of_function(with_code(code.format(1)))


def test_want_of_memory_is_told_as_such():
    class Hungry:
        def __reduce__(self):
            raise MemoryError

    with pytest.raises(MemoryError):
        of_value(Hungry())


class Pair:
    """Two buffers, one after the other in what pickle makes of it."""

    def __init__(self, first, second):
        self.buffers = first, second

    def __reduce_ex__(self, protocol):
        return Pair, tuple(map(pickle.PickleBuffer, self.buffers))

    def joined(self):
        return b"".join(self.buffers)


def test_where_a_buffer_ends_counts():
    assert of_value(Pair(b"ab", b"c")) != of_value(Pair(b"a", b"bc"))


def test_arrays_of_objects_count_in_their_order_whatever_their_layout():
    table = np.array([["a", "b"], ["c", "d"]], dtype=object)
    assert of_value(table) == of_value(np.asfortranarray(table))
    assert of_value(table) != of_value(table.T)
