"""A type of value can be registered, with what takes it apart and what puts it together."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from dash_brain.codec import encode, register
from dash_brain.codec.reducers import registered
from dash_brain.errors import EncodeError
from tests.codec.stored import round_trip


class Guarded:
    """Holds a lock, which cannot be stored, and an array."""

    def __init__(self, array: Any) -> None:
        self.lock = threading.Lock()
        self.array = array


def taken_apart(guarded: Guarded) -> dict[str, Any]:
    return {"array": guarded.array}


def put_together(parts: dict[str, Any]) -> Guarded:
    return Guarded(parts["array"])


def fails(parts: Any) -> Guarded:
    raise RuntimeError("s3cr3t")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)


def test_registered_type_is_stored_without_copying_its_buffers() -> None:
    with pytest.raises(EncodeError, match="lock"):
        encode(Guarded(1))
    register(Guarded, taken_apart, put_together)
    array = np.arange(5000.0)
    _, *buffers = encode([Guarded(array), 1])
    assert [memoryview(buffer).nbytes for buffer in buffers] == [array.nbytes]
    read = round_trip([Guarded(array)])[0]
    np.testing.assert_array_equal(read.array, array)


class GuardedMore(Guarded):
    pass


class Unstorable:
    def __reduce__(self) -> Any:
        raise TypeError


def test_subclass_of_a_registered_type_is_refused_with_the_reason() -> None:
    register(Guarded, taken_apart, put_together)
    with pytest.raises(EncodeError, match=r"lock.* cannot be stored"):
        encode(GuardedMore(1))
    register(Unstorable, repr, put_together)
    with pytest.raises(EncodeError, match=r"registered Unstorable does not cover its subclasses"):
        encode(type("Other", (Unstorable,), {"__module__": "builtins"})())


def test_error_for_a_type_that_cannot_be_stored_names_register() -> None:
    with pytest.raises(EncodeError, match=r"Unstorable cannot be stored\. .*codec\.register"):
        encode([Unstorable()])


def test_last_registration_counts_and_comes_before_that_of_a_library() -> None:
    register(Fraction, str, Fraction)
    assert b"1/3" in bytes(memoryview(encode(Fraction(1, 3))[0]))
    register(np.ndarray, np.ndarray.tolist, np.array)
    assert len(encode(np.arange(5000))) == 1


def test_what_could_not_be_read_again_is_refused_when_it_is_put() -> None:
    register(Guarded, taken_apart, fails)
    with pytest.raises(EncodeError, match=r"value\['a'\]: object of the class Guarded .*RuntimeError"):
        encode({"a": Guarded(1)})


@pytest.mark.parametrize("kind", [int, dict, type(None), type, type(lambda: 1)])
def test_types_that_python_stores_itself_are_refused(kind: type) -> None:
    with pytest.raises(TypeError, match="a type of your own"):
        register(kind, str, str)


def test_decode_that_readers_could_not_find_is_refused() -> None:
    with pytest.raises(TypeError, match="top level of a module"):
        register(Guarded, taken_apart, lambda parts: Guarded(parts))


def test_reader_need_not_register() -> None:
    register(Guarded, taken_apart, put_together)
    stream = bytes(memoryview(encode(Guarded([1, 2]))[0]))
    code = f"from dash_brain.codec import decode; print(decode([{stream!r}]).array)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[1, 2]"
