"""What cannot be stored is named by path and type, never by value, with a way out."""

from __future__ import annotations

import collections
import contextlib
import functools
import logging
import math
import os
import pickle
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import dash_brain
from dash_brain.codec import decode, encode
from dash_brain.errors import BrainError, DecodeError, EncodeError
from tests.codec import classes
from tests.codec.unstorable import (
    SECRET,
    CallsItself,
    HidesItsParts,
    Holder,
    Job,
    Nonsense,
    Refuses,
    RefusesByState,
    Renamed,
    SlottedHolder,
    connection,
    local_object,
)
from tests.codec.values import objects, texts


def refusal(value: Any) -> str:
    with pytest.raises(EncodeError) as caught:
        encode(value)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def no_lambda(_: Any = None) -> Any:
    return lambda: SECRET


CULPRITS: dict[str, tuple[Callable[[], Any], str]] = {
    "lambda": (no_lambda, "value: function <lambda> cannot be stored. Only functions that can be imported"),
    "lock": (threading.Lock, "value: _thread.lock cannot be stored. Leave it out"),
    "generator": (lambda: (x for x in [1]), "value: generator cannot be stored. Store what it yields"),
    "module": (lambda: types, "value: module cannot be stored. Store the name"),
    "memoryview": (lambda: memoryview(b"a"), "value: memoryview cannot be stored. Store bytes(...)"),
    "local object": (
        local_object,
        "value: object of the class local_object.<locals>.Local, which its module does not hold, cannot be",
    ),
    "local class": (
        lambda: type(local_object()),
        "value: class local_object.<locals>.Local cannot be stored",
    ),
    "renamed class": (
        lambda: [Renamed()],
        "value[0]: object of the class Other, which its module does not hold, cannot",
    ),
    "raises ValueError": (lambda: {"a": Refuses(ValueError(SECRET))}, "value['a']: tests.Refuses cannot"),
    "raises KeyError": (lambda: [Refuses(KeyError(SECRET))], "value[0]: tests.Refuses cannot"),
    "raises StopIteration": (lambda: [Refuses(StopIteration())], "value[0]: tests.Refuses cannot"),
    "fails by its state": (lambda: {"a": [RefusesByState()]}, "value['a'][0]: tests.RefusesByState cannot"),
    "reduces to nonsense": (lambda: [1, Nonsense()], "value[1]: tests.Nonsense cannot"),
    "hides its parts": (lambda: [HidesItsParts()], "value[0]: tests.HidesItsParts cannot"),
    "in a dict": (
        lambda: {"model": {"callback": no_lambda()}},
        "value['model']['callback']: function <lambda>",
    ),
    "in an attribute": (lambda: {"model": Holder(no_lambda())}, "value['model'].content: function <lambda>"),
    "in a private slot": (lambda: [SlottedHolder(no_lambda())], "value[0]._SlottedHolder__content: function"),
    "in a dataclass": (lambda: [Job("a", no_lambda())], "value[0].callback: function <lambda>"),
    "in a tuple": (lambda: (1, (2, no_lambda())), "value[1][1]: function <lambda>"),
    "in a set": (lambda: [{1, no_lambda()}], "value[0]{…}: function <lambda>"),
    "in a deque": (lambda: collections.deque([1, no_lambda()]), "value[1]: function <lambda>"),
    "in a named tuple": (lambda: classes.Point(1.0, no_lambda()), "value[1]: function <lambda>"),
    "as a key": (lambda: {no_lambda(): 1}, "value (key <function>): function <lambda>"),
    "as a default": (
        lambda: collections.defaultdict(no_lambda()),
        "value.default_factory: function <lambda>",
    ),
    "in a partial": (lambda: functools.partial(no_lambda(), 1), "value.func: function <lambda>"),
    "in a bound method": (lambda: [Holder(no_lambda()).show], "value[0].__self__.content: function"),
    "in a subclass of list": (lambda: classes.Words([no_lambda()]), "value[0]: function <lambda>"),
    "in an exception": (lambda: ValueError(no_lambda()), "value.args[0]: function <lambda>"),
    "in an iterator": (lambda: [iter([1, no_lambda()])], "value[0].<part 1>[1]: function <lambda>"),
    "behind what is fine": (
        lambda: {"a": [1] * 100, "b": pd.DataFrame({"x": [1]}), "c": {"d": Holder([no_lambda()])}},
        "value['c']['d'].content[0]: function <lambda>",
    ),
    "in a cycle": (lambda: cycle(), "value['again'][1]: function <lambda>"),
    "key is shortened": (lambda: {"k" * 100: no_lambda()}, f"value['{'k' * 39}…]: function <lambda>"),
    "key is an object": (lambda: {classes.Place(SECRET): no_lambda()}, "value[<Place>]: function <lambda>"),
    "key is a tuple": (lambda: {("a", SECRET): no_lambda()}, "value[<tuple>]: function <lambda>"),
    "in an array": (lambda: objects(1, no_lambda()), "value[1]: function <lambda>"),
    "in a matrix": (lambda: objects(1, 2, 3, no_lambda()).reshape(2, 2), "value[1, 1]: function <lambda>"),
    "in a long array": (lambda: objects(*texts(), no_lambda()), "value[3000]: function <lambda>"),
    "repeated in a long array": (lambda: objects(*[1, no_lambda()] * 2000), "value[1]: function <lambda>"),
    "in a frame": (
        lambda: {"f": pd.DataFrame({"n": [1, 2], "col": [1, no_lambda()]})},
        "value['f']['col'][1]: function <lambda>",
    ),
    "in a frame of equal names": (
        lambda: pd.DataFrame(objects(1, no_lambda()).reshape(1, 2), columns=["a", "a"]),
        "value['a'][0]: function <lambda>",
    ),
    "deep in a frame": (
        lambda: pd.DataFrame({"a": [[1, {"b": no_lambda()}]]}),
        "value['a'][0][1]['b']: function",
    ),
    "in a series": (lambda: pd.Series([1, no_lambda()]), "value[1]: function <lambda>"),
    "in an index": (lambda: pd.Series([1], index=[no_lambda()]), "value.index[0]: function <lambda>"),
    "in the columns": (
        lambda: pd.DataFrame([[1]], columns=[no_lambda()]),
        "value.columns[0]: function <lambda>",
    ),
    "in attrs": (lambda: with_attrs(), "value.attrs['a']: function <lambda>"),
    "on a subclass of a frame": (lambda: orders(), "value.source: function <lambda>"),
    "objects in polars": (
        lambda: {"p": pl.DataFrame({"o": [Holder(1)]})},
        "value['p']: polars.DataFrame cannot",
    ),
    "in a logger": (
        lambda: [logging.LoggerAdapter(logging.getLogger("a"), {"x": no_lambda()})],
        "value[0].extra",
    ),
}


def cycle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["again"] = [value, no_lambda(), value]
    return value


def with_attrs() -> pd.DataFrame:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["a"] = no_lambda()
    return frame


def orders() -> classes.Orders:
    frame = classes.Orders({"a": [1]})
    frame.source = no_lambda()
    return frame


@pytest.mark.parametrize("name", CULPRITS)
def test_what_cannot_be_stored_is_named_by_path_and_type(name: str) -> None:
    make, beginning = CULPRITS[name]
    message = refusal(make())
    assert message.startswith(beginning), message
    assert message.endswith(".")


def test_open_file_is_refused_with_a_way_out() -> None:
    with Path(__file__).open() as file:
        assert refusal({"f": file}).startswith(
            "value['f']: _io.TextIOWrapper cannot be stored. Store the path"
        )


def test_database_connection_is_refused_with_a_way_out() -> None:
    with contextlib.closing(connection()) as database:
        message = refusal([{"db": database}])
    assert message.startswith("value[0]['db']: sqlite3.Connection cannot be stored. Store what opens")


def test_error_keeps_its_cause_and_belongs_to_the_tree() -> None:
    with pytest.raises(EncodeError) as caught:
        encode([Refuses(ZeroDivisionError())])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert isinstance(caught.value, BrainError)
    assert isinstance(caught.value, TypeError)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_value_nested_too_deeply_is_refused() -> None:
    assert "nested too deeply" in refusal(nested(100_000))


def test_object_that_calls_itself_without_end_is_refused() -> None:
    assert "calls itself without end" in refusal({"a": CallsItself()})


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt(), SystemExit()], ids=type)
def test_error_that_is_not_the_values_fault_is_passed_on(error: BaseException) -> None:
    with pytest.raises(type(error)):
        encode([Refuses(error)])


def test_memory_error_that_does_not_come_again_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refuses(MemoryError())
    monkeypatch.setattr(Refuses, "__reduce__", raises_once(refusing))
    with pytest.raises(MemoryError):
        encode([refusing])


def raises_once(refusing: Refuses) -> Any:
    failures = [refusing.error]

    def reduce(value: Any) -> Any:
        if failures:
            raise failures.pop()
        return int, ()

    return reduce


def test_value_that_fails_once_is_said_to_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refuses(RuntimeError("dictionary changed size during iteration"))
    monkeypatch.setattr(Refuses, "__reduce__", raises_once(refusing))
    message = refusal([refusing])
    assert "did another thread change it meanwhile?" in message
    assert "(RuntimeError)" in message


def test_culprit_in_a_large_value_is_found_soon() -> None:
    value = {
        "list": list(range(300_000)),
        "frame": pd.DataFrame({"a": texts(50_000)}, dtype=object),
        "z": math,
    }
    assert refusal(value).startswith("value['z']: module")


def unreadable(frames: list[Any]) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(frames)
    assert caught.value.__cause__ is not None
    return str(caught.value)


def test_missing_module_is_named() -> None:
    stream = pickle.dumps(classes.Order(1), 5).replace(b"tests.codec.classes", b"tests.codec.missing")
    message = unreadable([stream])
    assert "needs tests.codec.missing.Order" in message
    assert "module tests.codec.missing cannot be imported" in message


def test_missing_class_is_named() -> None:
    stream = pickle.dumps(classes.Order(1), 5).replace(b"Order", b"Offer")
    assert "needs tests.codec.classes.Offer, which that module does not have" in unreadable([stream])


def test_object_that_fails_to_be_rebuilt_is_told_from_a_missing_class() -> None:
    stream = pickle.dumps(functools.partial(int, "x"), 5)
    failing = stream.replace(b"functools", b"math").replace(b"partial", b"sqrt")
    message = unreadable([failing])
    assert "could not be rebuilt" in message
    assert SECRET not in message


def test_buffer_that_is_too_short_is_a_decode_error() -> None:
    stream, buffer = encode(np.arange(5000.0))
    assert "could not be rebuilt" in unreadable([stream, memoryview(buffer)[:100]])


def test_missing_buffer_is_a_decode_error() -> None:
    stream, _ = encode(np.arange(5000.0))
    assert "could not be rebuilt" in unreadable([stream])


def test_memory_error_of_a_reader_is_passed_on() -> None:
    stream = pickle.dumps(functools.partial(raise_memory_error), 5)
    assert pickle.loads(stream).func is raise_memory_error
    with pytest.raises(MemoryError):
        decode([pickle.dumps(RaisesWhenRead(), 5)])


def raise_memory_error() -> None:
    raise MemoryError


class RaisesWhenRead:
    def __reduce__(self) -> Any:
        return raise_memory_error, ()


SCRIPT = """
import sys
from dash_brain.codec import decode, encode

class Mine:
    def __init__(self, number):
        self.number = number

if sys.argv[1:]:
    print(decode([bytes.fromhex(sys.argv[1])]).number)
else:
    print(encode(Mine(7))[0].hex())
"""


def run(script: Path, *arguments: str) -> str:
    # A script finds its own folder first, and not this one.
    environment = {**os.environ, "PYTHONPATH": str(Path(dash_brain.__file__).parents[1])}
    command = [sys.executable, str(script), *arguments]
    return subprocess.check_output(command, text=True, env=environment).strip()


def test_class_of_the_script_is_readable_by_that_script_and_explained_to_others(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(SCRIPT)
    stream = run(script)
    assert run(script, stream) == "7"
    message = unreadable([bytes.fromhex(stream)])
    assert "needs Mine, which was defined in the script that stored it" in message
    assert "Move it to a module that both import" in message
