"""Metrics for OpenTelemetry, read by its SDK."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Sum

from dash_brain import Brain, stats
from dash_brain.errors import NotInstalled
from dash_brain.metrics import opentelemetry
from dash_brain.metrics.opentelemetry import observe
from dash_brain.metrics.table import METRICS
from dash_brain.stores import FileStore


def test_a_meter_observes_all_metrics(tmp_path):
    store, reader = FileStore(tmp_path), InMemoryMetricReader()
    observe(MeterProvider([reader]).get_meter("test"), store)
    brain = Brain("orders", store=store)
    brain["a"] = brain["b"] = 1
    found = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    by_name = {metric.name: metric for metric in found}
    assert by_name.keys() == {f"dash_brain.{metric.name}" for metric in METRICS}
    puts = by_name["dash_brain.puts"]
    assert isinstance(puts.data, Sum)
    assert puts.data.is_monotonic
    assert {point.attributes["kind"]: point.value for point in puts.data.data_points}["value"] == 2
    assert by_name["dash_brain.used_bytes"].unit == "By"
    assert by_name["dash_brain.put_seconds"].unit == "s"


def test_each_export_reads_the_numbers_once(tmp_path, monkeypatch):
    store, reader, counted = FileStore(tmp_path), InMemoryMetricReader(), []
    observe(MeterProvider([reader]).get_meter("test"), store)
    monkeypatch.setattr(opentelemetry, "stats", lambda store: counted.append(store) or stats(store))
    for number in range(1, 4):
        Brain("orders", store=store)["a"] = 1
        found = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
        [puts] = [metric for metric in found if metric.name == "dash_brain.puts"]
        assert {point.attributes["kind"]: point.value for point in puts.data.data_points}["value"] == number
        assert len(counted) == number


def test_without_an_sdk_nothing_happens():
    observe(store="memory://unobserved")


def test_the_api_that_is_missing_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(
        NotInstalled, match=r"which is not installed\. Install it: pip install opentelemetry-api$"
    ):
        observe()
