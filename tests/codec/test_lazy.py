"""Importing the codec, and storing plain values, loads no data library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import dash_brain

HEAVY = {"numpy", "pandas", "pyarrow", "polars", "plotly", "scipy", "sklearn"}


def libraries_loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    here = Path(dash_brain.__file__).parents[1]
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    return HEAVY & set(result.stdout.split())


def test_importing_the_codec_loads_no_data_library() -> None:
    assert libraries_loaded_by("import dash_brain.codec") == set()


def test_storing_plain_values_loads_no_data_library() -> None:
    code = """
import datetime, decimal
from dash_brain.codec import decode, encode
decode(encode({"a": [1, (2.5, "x")], "b": datetime.date(2024, 1, 1), "c": decimal.Decimal(1)}))
"""
    assert libraries_loaded_by(code) == set()


def test_failing_to_store_a_plain_value_loads_no_data_library() -> None:
    code = """
from dash_brain.codec import encode
try:
    encode({"a": [lambda: 1]})
except TypeError:
    pass
"""
    assert libraries_loaded_by(code) == set()


@pytest.mark.parametrize("length", [3, 5000])
def test_arrays_of_numbers_load_numpy_alone(length: int) -> None:
    code = f"""
import numpy
from dash_brain.codec import decode, encode
decode(encode([numpy.arange({length}), numpy.arange({length}).astype("M8[s]"), numpy.array([None])]))
"""
    assert libraries_loaded_by(code) == {"numpy"}


PRIVATE = """
import pandas
{without}
from dash_brain.codec import encode
from dash_brain.errors import EncodeError
try:
    encode({{"f": pandas.DataFrame({{"a": [1]}})}})
except EncodeError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "without",
    [
        "import pandas.core.internals.managers as m; del m.SingleBlockManager",
        "del pandas.core.internals.blocks.Block",
        "del pandas.core.generic.NDFrame",
    ],
)
def test_pandas_without_a_private_name_that_is_needed_is_named(without: str) -> None:
    command = [sys.executable, "-c", PRIVATE.format(without=without)]
    said = subprocess.check_output(command, cwd=Path(dash_brain.__file__).parents[1], text=True)
    assert said.startswith("value['f']: pandas.DataFrame cannot be stored. pandas "), said
    assert "lacks something private that this version of dash_brain needs" in said
