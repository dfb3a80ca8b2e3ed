"""Whatever a reader does to its value, no other reader sees it, and the stored bytes do not change."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.preprocessing import StandardScaler

from dash_brain import codec
from dash_brain.brain import Brain

Operation = Callable[[Any], Any]


def frame(rows):
    numbers = np.arange(rows, dtype=float)
    return pd.DataFrame(
        {
            "x": np.sin(numbers),
            "y": np.where(numbers % 7 == 0, np.nan, numbers),
            "n": np.arange(rows)[::-1].copy(),
            "day": pd.date_range("2024-01-01", periods=rows, freq="min"),
            "text": np.array([f"row {number % 50}" for number in range(rows)], dtype=object),
            "kind": pd.Categorical(np.array(["a", "b", "c"])[np.arange(rows) % 3]),
        }
    )


def array(rows):
    return np.sin(np.arange(rows * 4, dtype=float)).reshape(rows, 4)


def assign(target, key, value):
    target[key] = value


def add(value, other):
    value += other


def classify(values):
    labels = (values[:, 0] > 0).astype(int)
    model = SGDClassifier(random_state=0).partial_fit(values, labels, classes=[0, 1])
    model.partial_fit(values, labels)
    values[:] = model.decision_function(values)[:, None]


def scale(values):
    scaler = StandardScaler(copy=False)
    scaler.partial_fit(values)
    return scaler.transform(values)


def refit(model):
    model.partial_fit(np.ones((20, 4)), np.arange(20) % 2)


def rename_axis(value):
    value.columns = value.columns.str.upper()


def write_into_buffers(table):
    """Arrow means its buffers to be constant; whoever writes at their address does not care."""
    for buffer in table["x"].chunk(0).buffers():
        if buffer is not None:
            ctypes.memset(buffer.address, 7, buffer.size)


FRAME: dict[str, Operation] = {
    "df['x'] += 1": lambda df: assign(df, "x", df["x"] + 1),
    "df *= on numbers": lambda df: df.__setitem__(["x", "y"], df[["x", "y"]] * 2),
    "df.loc[0, 'x'] =": lambda df: assign(df.loc, (0, "x"), 7.0),
    "df.loc[mask, 'y'] =": lambda df: assign(df.loc, (df["x"] > 0, "y"), 0.0),
    "df.iloc[:, 0] =": lambda df: assign(df.iloc, (slice(None), 0), 1.5),
    "df.iloc[3] =": lambda df: assign(df.iloc, (3, 2), -1),
    "df.at": lambda df: assign(df.at, (1, "n"), 99),
    "df.iat": lambda df: assign(df.iat, (1, 1), 99.0),
    "df['new'] =": lambda df: assign(df, "new", 1),
    "del df['x']": lambda df: df.__delitem__("x"),
    "df.pop": lambda df: df.pop("x"),
    "df.insert": lambda df: df.insert(0, "first", 0),
    "df.drop inplace": lambda df: df.drop(columns=["x", "y"], inplace=True),
    "df.drop rows inplace": lambda df: df.drop(index=[0, 1], inplace=True),
    "df.dropna inplace": lambda df: df.dropna(inplace=True),
    "df.fillna inplace": lambda df: df.fillna({"y": 0.0}, inplace=True),
    "df.replace inplace": lambda df: df.replace({"text": {"row 1": "other"}}, inplace=True),
    "df.sort_values inplace": lambda df: df.sort_values("n", inplace=True),
    "df.sort_index inplace": lambda df: df.sort_index(ascending=False, inplace=True),
    "df.reset_index inplace": lambda df: df.reset_index(inplace=True),
    "df.set_index inplace": lambda df: df.set_index("day", inplace=True),
    "df.rename inplace": lambda df: df.rename(columns={"x": "z"}, inplace=True),
    "df.drop_duplicates inplace": lambda df: df.drop_duplicates("text", inplace=True),
    "df.query inplace": lambda df: df.query("x > 0", inplace=True),
    "df.eval inplace": lambda df: df.eval("z = x + y", inplace=True),
    "df.where": lambda df: assign(df, "x", df["x"].where(df["x"] > 0, 0.0)),
    "df.clip inplace": lambda df: assign(df, "x", df["x"].clip(-0.1, 0.1)),
    "df.interpolate inplace": lambda df: assign(df, "y", df["y"].interpolate().fillna(-1)),
    "df.update": lambda df: df.update(pd.DataFrame({"x": np.ones(len(df))})),
    "df.columns =": rename_axis,
    "df.index =": lambda df: setattr(df, "index", df.index + 1),
    "df.attrs": lambda df: df.attrs.update(seen=True),
    "dates += 1 day": lambda df: assign(df, "day", df["day"] + pd.Timedelta("1D")),
    "dates.loc =": lambda df: assign(df.loc, (0, "day"), pd.Timestamp("1999-01-01")),
    "text.loc =": lambda df: assign(df.loc, (0, "text"), "changed"),
    "text upper": lambda df: assign(df, "text", df["text"].str.upper()),
    "categories.loc =": lambda df: assign(df.loc, (0, "kind"), "c"),
    "categories renamed": lambda df: assign(df, "kind", df["kind"].cat.rename_categories(["x", "y", "z"])),
    "values rotated": lambda df: assign(df, "x", np.roll(df["x"], 1)),
}

ARRAY: dict[str, Operation] = {
    "a += 1": lambda a: add(a, 1),
    "a *= 2": lambda a: np.multiply(a, 2, out=a),
    "a[:] = 0": lambda a: assign(a, slice(None), 0),
    "a[0, 0] =": lambda a: assign(a, (0, 0), 9),
    "a[mask] =": lambda a: assign(a, a > 0, 0),
    "a[::2] =": lambda a: assign(a, slice(None, None, 2), 1),
    "a.T[0] =": lambda a: assign(a.T, 0, 3),
    "a.flat": lambda a: assign(a.flat, slice(None), 4),
    "a.sort": lambda a: a.sort(axis=0),
    "a.partition": lambda a: a.partition(2, axis=0),
    "a.fill": lambda a: a.fill(1),
    "a.put": lambda a: a.put([0, 1], 9),
    "a.itemset by view": lambda a: assign(a.view(np.int64), (0, 0), 1),
    "np.random.shuffle": lambda a: np.random.default_rng(1).shuffle(a),
    "np.copyto": lambda a: np.copyto(a, 1),
    "np.put_along_axis": lambda a: np.put_along_axis(a, np.zeros((1, 4), int), 7, axis=0),
    "np.place": lambda a: np.place(a, a > 0, [5]),
    "np.putmask": lambda a: np.putmask(a, a > 0, 5),
    "np.fill_diagonal": lambda a: np.fill_diagonal(a, 5),
    "np.nan_to_num": lambda a: (assign(a, (0, 1), np.nan), np.nan_to_num(a, copy=False)),
    "np.add.at": lambda a: np.add.at(a, (0, 0), 1),
    "np.clip out": lambda a: np.clip(a, -0.1, 0.1, out=a),
    "np.cumsum out": lambda a: np.cumsum(a, axis=0, out=a),
    "memoryview": lambda a: assign(memoryview(a).cast("B"), slice(0, 8), b"changed!"),
    "SGDClassifier.partial_fit": classify,
    "StandardScaler(copy=False)": scale,
    "SGDRegressor.partial_fit": lambda a: assign(
        a, slice(None), SGDRegressor(random_state=0).partial_fit(a, a[:, 0]).predict(a)[:, None]
    ),
    "MiniBatchKMeans.partial_fit": lambda a: assign(
        a, (slice(None), 0), MiniBatchKMeans(2, n_init=1, random_state=0).partial_fit(a).transform(a)[:, 0]
    ),
}

FIGURE: dict[str, Operation] = {
    "update_layout": lambda figure: figure.update_layout(title="changed"),
    "update_traces": lambda figure: figure.update_traces(marker_color="red"),
    "add_trace": lambda figure: figure.add_scatter(x=[1], y=[2]),
    "data[0].y =": lambda figure: setattr(figure.data[0], "y", [1, 2, 3]),
    "update_xaxes": lambda figure: figure.update_xaxes(range=[0, 1]),
}

POLARS: dict[str, Operation] = {
    "df[0, 'x'] =": lambda df: assign(df, (0, "x"), 9.0),
    "df.insert_column": lambda df: df.insert_column(0, pl.Series("first", np.zeros(len(df)))),
    "df.replace_column": lambda df: df.replace_column(0, pl.Series("x", np.zeros(len(df)))),
    "df.columns =": lambda df: setattr(df, "columns", ["a", "b"]),
    "df.extend": lambda df: df.extend(df.clone()),
    "df.drop_in_place": lambda df: df.drop_in_place("x"),
}

MODEL: dict[str, Operation] = {
    "partial_fit": refit,
    "coef_ +=": lambda model: add(model.coef_, 1),
    "coef_[:] =": lambda model: model.coef_.fill(0),
    "set_params": lambda model: model.set_params(alpha=5),
}

CONTAINER: dict[str, Operation] = {
    "append": lambda value: value["list"].append(1),
    "update": lambda value: value.update(more=1),
    "nested array": lambda value: add(value["array"], 1),
    "bytearray": lambda value: assign(value["bytes"], 0, 33),
    "set": lambda value: value["set"].add(99),
}


def trained(rows):
    return SGDClassifier(random_state=0).partial_fit(array(rows), np.arange(rows) % 2, classes=[0, 1])


def container(rows):
    return {"list": [1], "array": array(rows), "bytes": bytearray(rows * 8), "set": {1}}


KINDS: dict[str, tuple[Callable[[int], Any], dict[str, Operation]]] = {
    "frame": (frame, FRAME),
    "array": (array, ARRAY),
    "plotly": (lambda rows: go.Figure(go.Scatter(y=np.arange(float(rows)))), FIGURE),
    "polars": (lambda rows: pl.DataFrame({"x": np.arange(float(rows)), "n": np.arange(rows)}), POLARS),
    "arrow": (
        lambda rows: pa.table({"x": np.arange(1.0, rows + 1), "n": np.arange(rows)}),
        {"write into buffers": write_into_buffers},
    ),
    "sklearn": (trained, MODEL),
    "containers": (container, CONTAINER),
}
CASES = [(kind, name) for kind, (_, operations) in KINDS.items() for name in operations]


def content(value):
    return [bytes(frame) for frame in codec.encode(value)]


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("rows", [20, 40_000], ids=["read", "mapped"])
@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind} {name}" for kind, name in CASES])
def test_change_is_seen_by_nobody_else(tmp_path, kind, name, rows):
    make, operations = KINDS[kind]
    brain = Brain(path=tmp_path)
    brain["value"] = make(rows)
    stored = [bytes(frame) for frame in brain._store.get("brain/default", "value")]
    before, mine = brain["value"], brain["value"]
    original = content(before)
    operations[name](mine)
    assert content(mine) != original, "the operation is to change something"
    assert content(before) == original
    assert content(brain["value"]) == original
    assert [bytes(frame) for frame in brain._store.get("brain/default", "value")] == stored


def test_there_are_many_operations_and_arrow_can_compute_on_what_it_reads(tmp_path):
    assert len(CASES) >= 60
    brain = Brain(path=tmp_path)
    brain["table"] = pa.table({"x": np.arange(100_000.0)})
    assert pc.sum(brain["table"]["x"]).as_py() == np.arange(100_000.0).sum()
