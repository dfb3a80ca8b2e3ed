"""A memoized call is known by what it uses when it is called: helpers may be replaced, reloaded or mocked."""

from __future__ import annotations

import array
import functools
import gc
import importlib
import subprocess
import sys
import threading
import time
import tracemalloc
import types
import weakref
from collections import Counter
from itertools import count
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from dash_brain import Brain
from dash_brain.errors import EncodeError
from dash_brain.memo.fingerprints import of_function, of_value
from dash_brain.stores import MemoryStore

MODULE = """
import {package}.rates as rates
from {package}.rates import rate as imported
def by_module(x): return rates.rate(x)
def by_name(x): return imported(x)
def nested(x): return [rates.FACTOR for _ in range(1)]
def inside(x):
    from {package} import late
    return late.rate(x)
def inside_by_name(x):
    from {package}.late import rate as wanted
    return (lambda: wanted(x))()
def by_class(x): return rates.Rates().rate(x)
def by_another_name(x):
    mine = rates if x else None
    return mine.rate(x)
def by_any_name(x): return getattr(rates, "rate")(x)
def by_a_table(x): return TABLE["rate"](x)
TABLE = {{"rate": lambda x: rates.rate(x)}}
"""
RATES = """
FACTOR = {n}
def rate(x): return [FACTOR, x]
class Rates:
    def rate(self, x): return [{n}, x]
"""
WAYS = ["by_module", "by_name", "nested", "inside", "inside_by_name", "by_class"]
WAYS += ["by_another_name", "by_any_name", "by_a_table"]


@pytest.fixture
def project(tmp_path, monkeypatch, request):
    """A user's own project of three modules: what is memoized, and two with helpers."""
    package = f"project_{abs(hash(request.node.name))}"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / package / "main.py").write_text(MODULE.format(package=package))
    for helper in ("rates", "late"):
        (tmp_path / package / f"{helper}.py").write_text(RATES.format(n=1))
    yield tmp_path / package
    for name in [name for name in sys.modules if name.startswith(package)]:
        del sys.modules[name]


def reload(project, helper, n):
    """Change a helper's file, and load it again."""
    (project / f"{helper}.py").write_text(RATES.format(n=n) + "#" * n)
    importlib.invalidate_caches()
    importlib.reload(importlib.import_module(f"{project.name}.{helper}"))


@pytest.mark.parametrize("way", [way for way in WAYS if way != "by_name"])
def test_module_that_is_loaded_again_makes_another_function(brain, project, way):
    function = brain.memoize()(getattr(importlib.import_module(f"{project.name}.main"), way))
    first = function(1)
    assert function(1) == first
    assert (function.info().hits, function.info().size) == (1, 1)
    for helper in ("rates", "late"):
        reload(project, helper, 22)
    assert 22 in function(1)
    for helper in ("rates", "late"):
        reload(project, helper, 1)
    assert function(1) == first
    assert function.info().hits == 2


@pytest.mark.parametrize(
    "fake",
    [
        lambda x: "fake",
        functools.partial(lambda word, x: word, "fake"),
        mock.Mock(return_value="fake"),
        mock.MagicMock(side_effect=["fake"] * 9),
    ],
    ids=["function", "partial", "return_value", "side_effect"],
)
def test_mock_is_another_helper_for_as_long_as_it_is_there(brain, project, fake):
    main = importlib.import_module(f"{project.name}.main")
    function = brain.memoize()(main.by_module)
    assert function(1) == [1, 1]
    with mock.patch.object(main.rates, "rate", fake):
        assert function(1) == function(1) == "fake"
    assert function(1) == [1, 1]
    assert function.info().hits >= 1


def test_mocks_that_are_told_different_things_are_different(brain, project):
    main = importlib.import_module(f"{project.name}.main")
    function = brain.memoize()(main.by_module)
    for told in ("first", "second"):
        with mock.patch.object(main.rates, "rate", autospec=True) as rate:
            rate.return_value = told
            assert function(1) == told
        with mock.patch.object(main.rates, "rate", side_effect=lambda x, told=told: told):
            assert function(1) == told


def test_what_changes_within_is_seen_though_its_name_leads_to_the_same(brain):
    @functools.singledispatch
    def kind(x):
        return "other"

    class Limits:
        low = 1

    options = {"a": 1}

    def function(x, *, more=0):
        return kind(x), Limits.low, options["a"], more, helper.n

    def helper():
        return 1

    helper.n = 1
    memoized = brain.memoize()(function)
    assert memoized(1) == memoized(1) == ("other", 1, 1, 0, 1)
    kind.register(int, lambda x: "number")
    Limits.low = 2
    assert memoized(1) == memoized(1) == ("number", 2, 1, 0, 1)
    options["a"] = helper.n = 3
    assert memoized(1) == ("number", 2, 3, 0, 3)
    function.__kwdefaults__ = {"more": 4}
    helper.__code__ = (lambda: 2).__code__
    assert of_function(function) != of_function(Limits)
    assert brain.memoize()(function)(1)[3] == 4
    assert memoized.info().hits == 2


def test_constant_or_method_that_is_replaced_counts(brain, project, monkeypatch):
    main = importlib.import_module(f"{project.name}.main")
    nested, by_class = brain.memoize()(main.nested), brain.memoize()(main.by_class)
    assert (nested(1), by_class(1)) == ([1], [1, 1])
    monkeypatch.setattr(main.rates, "FACTOR", 7)
    monkeypatch.setattr(main.rates.Rates, "rate", lambda self, x: "replaced")
    assert (nested(1), by_class(1)) == ([7], "replaced")


CELL = """
from dash_brain import Brain
brain = Brain("programs", path={path!r})
TABLE = {table!r}
@brain.memoize()
def load(day): return [day, TABLE]
print(load("monday"))
"""
IN_NOTEBOOK = """
import sys
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_cell(sys.stdin.read())
"""


@pytest.mark.parametrize("how", [["-"], ["-c", IN_NOTEBOOK]], ids=["stdin", "notebook"])
@pytest.mark.parametrize("tables", [("shop", "payroll"), (["shop"], ["payroll"])], ids=["plain", "data"])
def test_programs_without_a_file_share_nothing_by_chance(tmp_path, how, tables):
    for table in tables:
        code = CELL.format(path=str(tmp_path), table=table)
        env = {"IPYTHONDIR": str(tmp_path)}
        ran = subprocess.run([sys.executable, *how], input=code, capture_output=True, text=True, env=env)
        assert str(["monday", table]) in ran.stdout, ran.stderr


def test_cell_that_is_run_again_with_another_helper_is_seen(tmp_path):
    cells = """
shell = InteractiveShell.instance()
shell.run_cell("def helper(x): return f'first {x}'")
shell.run_cell("from dash_brain import Brain; brain = Brain(url='memory://cells')")
shell.run_cell("@brain.memoize()\\ndef f(x): return helper(x)\\nprint(f(1), f(1), f.info().hits)")
shell.run_cell("def helper(x): return f'second {x}'")
shell.run_cell("print(f(1))")
"""
    code = IN_NOTEBOOK.rpartition("\n")[0].rpartition("\n")[0] + cells
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"IPYTHONDIR": str(tmp_path)}
    )
    assert ran.stdout.split("\n")[:2] == ["first 1 first 1 1", "second 1"], ran.stderr


def test_spawned_processes_of_a_script_share_its_results(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing, os\nfrom dash_brain import Brain\n"
        f"brain = Brain('spawned', path={str(tmp_path / 'store')!r})\n"
        "class Scale:\n    k = 2\n"
        "@brain.memoize()\ndef f(x): return [os.getpid(), Scale.k * x]\n"
        "if __name__ == '__main__':\n    mine = f(1)\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print([one == mine for one in pool.map(f, [1, 1])])\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert ran.stdout.strip() == "[True, True]", ran.stderr


class Orders:
    """Has memoized methods of every kind."""

    brain = Brain(store=MemoryStore())

    def __init__(self, shop):
        self.shop = shop

    @brain.memoize()
    def load(self, day, fresh=False):
        return self.shop, time.monotonic_ns()

    @staticmethod
    @brain.memoize()
    def of_all(day):
        return time.monotonic_ns()


def test_method_is_forgotten_through_its_instance():
    first, second = Orders("one"), Orders("two")
    mine, theirs = first.load(3), second.load(3)
    assert (first.load(day=3), Orders("one").load(3)) == (mine, mine) != (theirs, theirs)
    assert first.load.info().size == Orders.load.info().size == 2
    first.load.forget(3)
    assert first.load(3) != mine
    assert second.load(3) == theirs
    Orders.load.forget(second, day=3)
    assert second.load(3) != theirs
    kept = first.of_all(1)
    first.of_all.forget(1)
    assert Orders.of_all(1) != kept


def test_object_that_changes_is_another_argument():
    orders = Orders("before")
    assert orders.load(1)[0] == "before"
    orders.shop = "after"
    assert orders.load(1)[0] == "after"


def test_keywords_in_another_order_are_the_same_call(brain):
    @brain.memoize()
    def plain(**options):
        return time.monotonic_ns()

    first = plain(a=1, b=2)
    assert plain(b=2, a=1) == first
    plain.forget(b=2, a=1)
    assert plain(a=1, b=2) != first


def test_counter_in_a_closure_is_said_once_and_its_results_can_be_forgotten(brain, caplog):
    numbers = count()
    made = 0

    @brain.memoize()
    def number(x):
        nonlocal made
        made += 1
        return next(numbers)

    assert [number(1) for _ in range(5)] == list(range(5))
    assert caplog.text.count("computed at each call") == 1
    assert number.info().size == 5
    number.forget(1)
    assert number.info().size == 0
    number(1), number(2)
    number.forget_all()
    assert number.info().size == 0


def test_nothing_keeps_a_function_alive_nor_what_it_holds(brain):
    def request(number):
        frame = np.full(1000, float(number))

        class Total:
            def __call__(self):
                return float(frame.sum())

        total = Total()
        memoized = brain.memoize()(lambda start: start + total())
        assert memoized(1) == memoized(1)
        return [weakref.ref(one) for one in (frame, Total, total, memoized)]

    seen = request(1)
    gc.collect()
    assert [one() for one in seen] == [None] * 4


def test_helper_that_was_replaced_is_not_kept_alive_nor_is_code_that_was_made(brain):
    scope = {"__name__": "generated", "__file__": "/generated.py"}
    exec("def helper(): return 1\ndef total(): return helper()", scope)
    total = brain.memoize()(scope["total"])
    assert total() == 1
    seen = [weakref.ref(scope["helper"]), weakref.ref(scope["helper"].__code__)]
    exec("def helper(): return 2", scope)
    gc.collect()
    assert [one() for one in seen] == [None] * 2
    assert total() == 2


def test_brain_in_a_closure_or_an_object_is_known_by_what_it_opens(brain):
    def reader(source):
        return lambda name: source.get(name)

    assert of_function(reader(brain)) == of_function(reader(brain.view("default")))
    assert of_function(reader(brain)) != of_function(reader(brain.view("other")))
    assert of_function(reader(brain)) != of_function(reader(Brain(store=MemoryStore())))
    assert of_value(types.SimpleNamespace(brain=brain))


def guarded(function):
    lock, local = threading.RLock(), threading.local()

    def wrapper(*args):
        with lock:
            return function(*args), local is None

    return wrapper


@guarded
def helper(x):
    return x


def reads_through(stream):
    @guarded
    def read(x):
        return stream

    return read


read = reads_through(x for x in ())


def test_what_a_subclass_of_brain_keeps_counts(tmp_path):
    def brain_in(unit, factor=1):
        class Prices(Brain):
            def price(self):
                return factor

        prices = Prices(path=tmp_path)
        prices.unit = unit
        return prices

    assert of_value(brain_in("EUR")) == of_value(brain_in("EUR"))
    assert len({of_value(one) for one in (brain_in("EUR"), brain_in("USD"), brain_in("EUR", 2))}) == 3


def test_locks_of_helpers_do_not_count_and_other_things_are_named(brain):
    assert brain.memoize()(lambda x: helper(x))(1) == (1, False)
    with pytest.raises(EncodeError, match=r"read\.function\.stream: generator.*key="):
        brain.memoize()(lambda x: read(x))(1)
    assert brain.memoize(key=lambda x: x)(lambda x: read(x) and 1)(1) == 1
    model = {"of": [1, types.SimpleNamespace(callback=(x for x in ()))]}
    with pytest.raises(EncodeError, match=r"model\['of'\]\[1\]\.callback: generator"):
        brain.memoize()(lambda model: 1)(model)


def test_functions_of_distributions_count_by_name_and_version(monkeypatch):
    def function(x):
        return pd.isna(x)

    before = of_function(function)
    assert of_function(function) == before
    monkeypatch.setattr(pd, "isna", lambda x: True)
    assert of_function(function) != before


def ring(numbers):
    """Return objects that lead round in both directions."""
    nodes = [types.SimpleNamespace(number=number) for number in numbers]
    for before, node in zip([nodes[-1], *nodes], nodes, strict=False):
        node.before, before.after = before, node
    return nodes


def test_circles_have_fingerprints_and_are_told_apart_at_once():
    assert of_value(ring(range(200))) == of_value(ring(range(200)))
    assert of_value(ring(range(200))) != of_value(ring([*range(199), 0]))
    assert of_value(ring(range(3))[0]) != of_value(ring(range(3))[1])


def test_shared_parts_are_hashed_once_and_count_like_copies():
    nested = other = [0]
    for _ in range(22):
        nested, other = [nested, nested], [other, list(other)]
    assert of_value(nested) == of_value(other)


@pytest.mark.parametrize(
    ("make", "megabytes"),
    [
        (lambda: [{"id": i, "page": "x" * 200_000} for i in range(3)] * 10_000, 64),
        (lambda: [[i] for i in range(300_000)], 64),
        (lambda: np.zeros((4000, 4000)).T, 64),
        (lambda: np.zeros(4_000_000, dtype="i1,f8"), 64),
        (lambda: pd.DataFrame(np.zeros((1_000_000, 16))), 64),
        (lambda: pd.DataFrame({"text": [f"text {i}" for i in range(1_000_000)]}), 64),
        (lambda: {str(i) for i in range(400_000)}, 64),
        (lambda: "ä" * 50_000_000, 64),
        (lambda: array.array("d", bytes(80_000_000)), 64),
        (lambda: Counter(range(1_000_000)), 64),
        (lambda: {(i, str(i)) for i in range(100_000)}, 12),
    ],
    ids=[
        "shared",
        "lists",
        "transposed",
        "structured",
        "frame",
        "text",
        "set",
        "string",
        "array",
        "counter",
        "tuples",
    ],
)
def test_fingerprint_takes_little_memory_whatever_the_argument(make, megabytes):
    value = make()
    tracemalloc.start()
    try:
        of_value(value)
        assert tracemalloc.get_traced_memory()[1] < megabytes << 20
    finally:
        tracemalloc.stop()
