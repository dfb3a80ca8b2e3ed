"""Functions that call those of a library can be memoized, whichever of its modules these say they are of."""

from __future__ import annotations

import importlib
import random
import sys

import numpy as np
import pytest

from dash_brain import Brain

FUNCTIONS = [np.full, np.ones, np.zeros_like, np.roll, np.mean, np.linspace, np.linalg.norm]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_function_that_names_another_module_of_its_library_counts_by_that(tmp_path, function):
    @Brain(path=tmp_path).memoize()
    def named() -> str:
        return function.__name__

    assert [named(), named()] == [function.__name__] * 2


def test_function_that_draws_a_random_number_by_the_module_is_computed_once(tmp_path):
    @Brain(path=tmp_path).memoize()
    def drawn() -> float:
        return random.uniform(0, 1)

    assert drawn() == drawn()


#: What functions of users commonly say, by the modules that it takes.
ORDINARY = """
import polars as pl: pl.DataFrame({"a": [1]}).select(pl.col("a").sum()).item()
import numpy as np: float(np.random.default_rng(0).normal())
import numpy as np: int(np.vectorize(abs)([1])[0]) + int(np.add.reduce([1, 2]))
import numpy as np: np.random.RandomState(0).rand() + np.fft.fft([1, 2]).real.sum()
import pandas as pd: len(pd.DataFrame({"a": [1]}).groupby("a").sum())
import pyarrow as pa, pyarrow.compute as pc: pc.sum(pa.array([1])).as_py()
import plotly.express as px: len(px.line(x=[1], y=[2]).data)
import plotly.graph_objects as go: len(go.Figure(go.Scatter(x=[1])).data)
from sklearn.linear_model import LinearRegression: LinearRegression().fit([[1], [2]], [1, 2]).coef_[0]
from dash import html: html.Div("a").children
import random: random.choice([1, 2])
import datetime, zoneinfo: datetime.datetime.now(zoneinfo.ZoneInfo("UTC")).year
import json, re, math: json.dumps([re.compile("a").sub("b", "a"), math.sqrt(4)])
import decimal, statistics: str(decimal.Decimal(1)) + str(statistics.mean([1, 2]))
import logging, os, sys: [logging.getLogger("a").name, os.environ.get("HOME"), sys.version]
import threading, uuid, hashlib: [threading.current_thread().name, hashlib.sha256(uuid.uuid4().bytes)][0]
import sqlite3: sqlite3.connect(":memory:").execute("select 1").fetchall()
import concurrent.futures: concurrent.futures.ThreadPoolExecutor(1).submit(abs, -1).result()
"""


@pytest.mark.parametrize("line", ORDINARY.strip().splitlines())
def test_function_that_uses_a_library_is_known_and_computed_once(tmp_path, monkeypatch, line):
    imports, _, expression = line.partition(": ")
    program = f"{imports}\ndef used(made):\n    made.mkdir()\n    return {expression}\n"
    (tmp_path / "ordinary.py").write_text(program)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ordinary", raising=False)
    used = Brain(path=tmp_path).memoize()(importlib.import_module("ordinary").used)
    assert used(tmp_path / "made") == used(tmp_path / "made")  # a second call would find the folder made
