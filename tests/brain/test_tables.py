"""What is called through the attributes of objects, and through names that are told when code runs."""

from __future__ import annotations

import importlib
from itertools import count

import pytest

from dash_brain.memo.fingerprints import FunctionFingerprint, of_function

MODULE = """
import abc, collections, dataclasses, threading, types

def one(x): return 1
class Plain: pass
class Service:
    def run(self, x): return 1
class Other:
    def run(self, x): return 99
class Registry:
    def __init__(self): self.kept, self.hooks = dict(one=one), []
    def run(self, x):
        for hook in self.hooks: x = hook(x)
        return x
class Slotted:
    __slots__ = ("run",)
class Abstract(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other): return NotImplemented
@dataclasses.dataclass
class Strategy:
    run: object
class Lazy(types.ModuleType):
    @property
    def answer(self): return 1

plain, space, service, registry, slotted = Plain(), types.SimpleNamespace(), Service(), Registry(), Slotted()
plain.run = space.run = slotted.run = one
nested = types.SimpleNamespace(inner=types.SimpleNamespace(run=one))
holder = Plain(); holder.service = Service()
strategy, strategies, users = Strategy(one), [Service()], collections.UserDict(run=one)
lazy = Lazy("lazy"); lazy.__version__ = 1
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return 1
itself = __import__("sys").modules[__name__]
"""

#: An expression, and what makes its value 99.
CALLED = {
    "plain.run(x)": "plain.run = lambda x: 99",
    "space.run(x)": "space.run = lambda x: 99",
    "slotted.run(x)": "slotted.run = lambda x: 99",
    "nested.inner.run(x)": "nested.inner.run = lambda x: 99",
    "service.run(x)": "service.run = lambda x: 99",
    "holder.service.run(x)": "holder.service = Other()",
    "registry.kept['one'](x)": "registry.kept['one'] = lambda x: 99",
    "registry.run(x)": "registry.hooks.append(lambda x: 99)",
    "strategy.run(x)": "strategy.run = lambda x: 99",
    "strategies[0].run(x)": "strategies[0] = Other()",
    "users['run'](x)": "users['run'] = lambda x: 99",
    "[s.run(x) for s in strategies][0]": "Service.run = lambda self, x: 99",
    "isinstance(x, Abstract)": "Abstract.register(int)",
    "Abstract.__subclasshook__(int)": "Abstract.__subclasshook__ = classmethod(lambda cls, other: True)",
    "lazy.answer": "Lazy.answer = property(lambda self: 99)",
    "getattr(lazy, '__version__')": "lazy.__version__ = 99",
    "itself.nothing": "__getattr__ = lambda name: 99",
    "globals()['one'](x)": "one = lambda x: 99",
    "eval('one(x)')": "one = lambda x: 99",
}
_numbers = count()


def made(tmp_path, monkeypatch, expression):
    name = f"called_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text(f"{MODULE}\ndef function(x): return {expression}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return importlib.import_module(name)


@pytest.mark.parametrize("expression", CALLED)
def test_what_is_called_through_an_object_or_a_name_counts(expression, tmp_path, monkeypatch):
    module = made(tmp_path, monkeypatch, expression)
    known = FunctionFingerprint(module.function)
    before, first = module.function(1), known.now()
    assert known.now() == first == of_function(module.function)
    exec(compile(CALLED[expression], module.__file__, "exec"), vars(module))
    assert module.function(1) != before
    assert known.now() == of_function(module.function) != first


def test_object_whose_functions_hold_what_has_no_fingerprint_is_data_still(tmp_path, monkeypatch):
    module = made(tmp_path, monkeypatch, "plain.run(x)")
    exec("plain.run = lambda x, held=(threading.Lock() for _ in 'a'): x", vars(module))
    assert of_function(module.function) == of_function(module.function)


def test_what_an_object_keeps_besides_functions_does_not_count(tmp_path, monkeypatch):
    module = made(tmp_path, monkeypatch, "plain.run(x)")
    before = of_function(module.function)
    module.plain.rows = [1, 2, {"a": 3}]
    module.plain.itself = module.plain
    assert of_function(module.function) == before
