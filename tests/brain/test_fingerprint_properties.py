"""Two definitions or arguments that behave differently never share a fingerprint; equal ones always do."""

from __future__ import annotations

import itertools
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from dash_brain.memo.fingerprints import of_call, of_function, of_value
from tests.torture.sizes import size

#: Ways to define ``h1`` by means of ``h0``, with a constant of its own.
LAYERS = [
    "def {new}(x): return {old}(x) * 3 + {n}",
    "{new} = lambda x: {old}(x) * 3 + {n}",
    "K_{new} = {n}\ndef {new}(x): return {old}(x) * 3 + K_{new}",
    "K_{new} = ({n}, 1)\ndef {new}(x): return [({old}(x) * 3 + K_{new}[0]) for _ in range(1)][0]",
    "def {new}(x, n={n}): return {old}(x) * 3 + n",
    "def {new}(x, *, n={n}): return {old}(x) * 3 + n",
    "def {new}(x): return (lambda: {old}(x) * 3 + {new}.n)()\n{new}.n = {n}",
    "def make(n):\n  def inner(x): return {old}(x) * 3 + n\n  return inner\n{new} = make({n})",
    "@timed({n})\ndef {new}(x): return {old}(x) * 3",
    "{new} = functools.partial(lambda n, x: {old}(x) * 3 + n, {n})",
    "{new} = Adding({old}, {n})",
    "class C_{new}:\n  k = {n}\n  def run(self, x): return {old}(x) * 3 + self.k\n{new} = C_{new}().run",
    "class C_{new}:\n  k = {n}\n  @classmethod\n  def run(cls, x): return {old}(x) * 3 + cls.k\n"
    "class D_{new}(C_{new}): pass\ndef {new}(x): return D_{new}.run(x)",
    "class C_{new}:\n  @property\n  def k(self): return {n}\ndef {new}(x): return {old}(x) * 3 + C_{new}().k",
    "class M_{new}(type):\n  def k(cls): return {n}\nclass C_{new}(metaclass=M_{new}): pass\n"
    "def {new}(x): return {old}(x) * 3 + C_{new}.k()",
    "@functools.lru_cache\ndef {new}(x): return {old}(x) * 3 + {n}",
    "@functools.singledispatch\ndef {new}(x): return 0\n"
    "@{new}.register(int)\ndef _(x): return {old}(x) * 3 + {n}",
    "{new} = lambda x: int(np.vectorize(lambda y: {old}(int(y)) * 3 + {n})(x))",
    "u_{new} = np.frompyfunc(lambda y: {old}(y) * 3 + {n}, 1, 1)\ndef {new}(x): return u_{new}(x)",
    "@dataclasses.dataclass\nclass C_{new}:\n  k: int = {n}\ndef {new}(x): return {old}(x) * 3 + C_{new}().k",
    "class C_{new}(enum.Enum):\n  K = {n}\ndef {new}(x): return {old}(x) * 3 + C_{new}.K.value",
    "class C_{new}:\n  __call__ = Adding({old}, {n})\ndef {new}(x): return C_{new}()(x)",
    "class C_{new}:\n  def get(self, n, x): return {old}(x) * 3 + n\n"
    "  __getitem__ = functools.partialmethod(get, {n})\ndef {new}(x): return C_{new}()[x]",
    "class C_{new}:\n  __weights__ = np.array([{n}])\n"
    "def {new}(x): return {old}(x) * 3 + int(C_{new}.__weights__[0])",
    "class C_{new}:\n  'by {n}'\ndef {new}(x): return {old}(x) * 3 + int(C_{new}.__doc__[3:])",
    "class C_{new}:\n  k: 'is {n}'\n"
    "def {new}(x): return {old}(x) * 3 + int(C_{new}.__annotations__['k'][3:])",
    "def other(k: 'is {n}'): ...\n"
    "def {new}(x, other=other): return {old}(x) * 3 + int(other.__annotations__['k'][3:])",
    "T_{new} = dict(a=[('b', lambda x: {old}(x) * 3 + {n})])\ndef {new}(x): return T_{new}['a'][0][1](x)",
    "T_{new} = types.MappingProxyType(dict(a=lambda x: {old}(x) * 3 + {n}))\n"
    "def {new}(x): return T_{new}['a'](x)",
    "T_{new} = collections.defaultdict(lambda: {n})\ndef {new}(x): return {old}(x) * 3 + T_{new}['a']",
    "E_{new} = enum.IntEnum('E', ['A', 'B', 'C'], start=0)({n})\ndef {new}(x): return {old}(x) * 3 + E_{new}",
    "K_{new} = np.int64({n})\ndef {new}(x): return {old}(x) * 3 + int(K_{new})",
    "K_{new} = collections.namedtuple('K', 'n')({n})\ndef {new}(x): return {old}(x) * 3 + K_{new}.n",
    "def {new}(x):\n  if x < 0: return {n} and other(x)\n  return {old}(x) * 3 + {n}\n"
    "def other(x): return {new}(x)",
    "inner_{new} = types.ModuleType('inner')\ninner_{new}.k = {n}\n"
    "def {new}(x): return {old}(x) * 3 + inner_{new}.k",
]

PREAMBLE = """
import collections, dataclasses, enum, functools, types
import numpy as np

def timed(n):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args): return function(*args) + n
        return wrapper
    return decorator

class Adding:
    def __init__(self, function, n): self.function, self.n = function, n
    def __call__(self, x): return self.function(x) * 3 + self.n

def h0(x): return x
"""

layers = st.lists(st.tuples(st.integers(0, len(LAYERS) - 1), st.integers(0, 2)), min_size=1, max_size=4)


def defined(program):
    """Return the function that a list of layers and their constants defines, as a module would."""
    scope = {"__name__": "generated", "__file__": "/generated.py"}
    lines = [PREAMBLE]
    for number, (layer, n) in enumerate(program):
        lines.append(LAYERS[layer].format(new=f"h{number + 1}", old=f"h{number}", n=n))
    lines.append(f"def function(x): return h{len(program)}(x)")
    exec(compile("\n".join(lines), "/generated.py", "exec", dont_inherit=True), scope)
    return scope["function"]


@settings(max_examples=size(60, 1500), deadline=None)
@given(layers, st.data())
def test_definitions_that_behave_differently_never_share(program, data):
    at = data.draw(st.integers(0, len(program) - 1))
    layer, n = program[at]
    other = [*program[:at], (layer, (n + 1) % 3), *program[at + 1 :]]
    first, same, second = map(defined, (program, program, other))
    assert first(5) == same(5) != second(5)
    assert of_function(first) == of_function(same) != of_function(second)
    first(5)  # what was computed and cached on the way is no part of it
    assert of_function(first) == of_function(same)


atoms = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats()
    | st.sampled_from(["", "1", "a", "\ud800", "x" * 1500])
    | st.sampled_from([b"", b"1", b"a", bytearray(b"a")])
)
hashable = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["1", "a", b"a", 1.5])
arguments = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(hashable, inner, max_size=3)
        | st.sets(hashable, max_size=3)
        | st.frozensets(hashable, max_size=3)
    ),
    max_leaves=6,
)


def exact(value):
    """Return what is equal for values of which nobody can tell one from the other."""
    if isinstance(value, (set, frozenset)):
        return type(value), frozenset(map(exact, value))
    if isinstance(value, dict):
        return dict, tuple((exact(key), exact(part)) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(exact, value))
    if isinstance(value, float):
        return float, struct.pack("d", value)
    return type(value), bytes(value) if isinstance(value, bytearray) else value


@settings(max_examples=size(100, 3000), deadline=None)
@given(st.lists(arguments, min_size=2, max_size=6))
def test_arguments_share_exactly_if_they_are_equal(values):
    def function(value): ...

    known = [(exact(value), of_value(value), of_call(function, (value,), {})) for value in values]
    for (one, *prints), (other, *others) in itertools.combinations(known, 2):
        assert (one == other) == (prints[0] == others[0]) == (prints[1] == others[1])


@settings(max_examples=size(60, 1000), deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 2), max_size=4), st.randoms())
def test_keywords_count_in_any_order(kwargs, random):
    def function(a=None, **others): ...

    shuffled = list(kwargs.items())
    random.shuffle(shuffled)
    assert of_call(function, (), kwargs) == of_call(function, (), dict(shuffled))
