"""What is stored can be read: what cannot be rebuilt is refused when it is put."""

from __future__ import annotations

import builtins
import collections
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dash_brain.codec import decode, encode
from dash_brain.errors import DecodeError, EncodeError
from tests.codec import unreadable
from tests.codec.classes import Measured, Order
from tests.codec.stored import round_trip
from tests.codec.unreadable import EXCEPTIONS, SECRET, UNREADABLE


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_rebuilt_is_refused_with_path_and_class(name: str) -> None:
    value = UNREADABLE[name]()
    with pytest.raises(EncodeError) as caught:
        encode({"a": [1, value]})
    message = str(caught.value)
    assert message.startswith("value['a'][1]: object of the class ")
    assert f"class {type(value).__qualname__} cannot be stored: it could not be rebuilt (" in message
    assert SECRET not in message


@pytest.mark.parametrize("name", ["__setstate__ raises", "comes back as another"])
def test_what_cannot_be_rebuilt_is_refused_wherever_it_is(name: str) -> None:
    value = UNREADABLE[name]()
    frame = pd.DataFrame({"n": [1], "col": [value]})
    for holder, path in [
        (frame, "value['col'][0]"),
        (Order(1, [value]), "value.lines[0]"),
        (value, "value"),
        ((frame, {"k": {"a": value}}), "value[0]['col'][0]"),
    ]:
        with pytest.raises(EncodeError) as caught:
            encode(holder)
        assert str(caught.value).startswith(f"{path}: object of the class {type(value).__name__} cannot")


@pytest.mark.parametrize("name", ["decorated", "Pair"])
def test_name_that_stands_for_something_else_is_refused(name: str) -> None:
    thing = getattr(unreadable, name)
    for value in (thing, [thing(1, 2)] if name == "Pair" else thing):
        with pytest.raises(EncodeError, match=r"^value(\[0\])?: .*(Other|plain).* cannot be stored"):
            encode(value)


@pytest.mark.parametrize("error", EXCEPTIONS, ids=lambda error: type(error).__name__)
def test_exception_comes_back_as_it_was_whatever_its_init_takes(error: Exception) -> None:
    read = round_trip([error])[0]
    assert type(read) is type(error)
    assert (read.args, vars(read), str(read), repr(read)) == (
        error.args,
        vars(error),
        str(error),
        repr(error),
    )
    for name in ("errno", "filename", "strerror", "start", "value", "name", "path", "axis"):
        assert getattr(read, name, None) == getattr(error, name, None)


def test_class_that_answers_to_every_attribute_or_cannot_be_compared_is_stored() -> None:
    assert type(round_trip(unreadable.AnswersAll())) is unreadable.AnswersAll
    assert len(round_trip({unreadable.CannotBeCompared(): 1})) == 1


def test_trying_to_rebuild_a_value_leaves_its_arrays_as_they_are() -> None:
    array = np.arange(3000.0)
    for value in (unreadable.Shifted(array), Measured(array, "m")):
        before = array.copy()
        read = round_trip(value)
        np.testing.assert_array_equal(array, before)
        np.testing.assert_array_equal(getattr(read, "array", read), before)


def test_values_of_libraries_and_plain_classes_are_not_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []
    monkeypatch.setattr("dash_brain.codec.encoding.trouble", lambda frames, classes: tried.append(classes))
    frame = pd.DataFrame(
        {"a": [1.5], "b": ["x"], "d": pd.date_range("2024", periods=1, tz="UTC"), "o": [[1]]}
    )
    for value in (frame, frame["d"], np.arange(9), Order(1, [frame]), collections.Counter("ab"), pd.NaT):
        encode({"a": value})
    assert not tried


PANICS = """
class PanicException(BaseException):
    pass

def panic():
    raise PanicException("s3cr3t")
"""


def test_reader_meets_no_panic_of_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("panicking.py").write_text(PANICS)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DecodeError, match=r"could not be rebuilt \(PanicException\)"):
        decode([b"cpanicking\npanic\n(tR."])


def test_class_of_a_script_that_was_spawned_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="defined in the script that stored it"):
        decode([b"c__mp_main__\nMine\n."])


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit", "MemoryError"])
def test_interruption_of_a_reader_is_passed_on(
    error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"stopping_{error}"
    tmp_path.joinpath(f"{module}.py").write_text(f"def stop():\n    raise {error}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(getattr(builtins, error)):
        decode([f"c{module}\nstop\n(tR.".encode()])
