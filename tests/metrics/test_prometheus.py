"""Metrics for Prometheus, read back by its own parser."""

from __future__ import annotations

import re
import sys

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from dash_brain import Brain, stats
from dash_brain.errors import NotInstalled, ValueMissing
from dash_brain.metrics.prometheus import register, text
from dash_brain.stores import FileStore
from tests.packaging.documents import REPOSITORY


@pytest.fixture
def store(tmp_path):
    """A store in which something was done with a name that nobody may see."""
    store = FileStore(tmp_path / "store")
    brain = Brain("a-secret-namespace", store=store)
    brain["a-secret-name"] = "a secret value"
    assert brain["a-secret-name"] == "a secret value"
    with pytest.raises(ValueMissing):
        brain["another-secret-name"]
    return store


def samples(families: list[Metric]) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = [sample for family in families for sample in family.samples]
    return {(one.name, frozenset(one.labels.items())): one.value for one in found}


def test_the_text_is_what_the_parser_of_prometheus_reads(store):
    families = list(text_string_to_metric_families(text(stats(store))))
    assert {family.type for family in families} == {"counter", "gauge"}
    assert all(family.documentation.endswith(".") for family in families)
    found = samples(families)
    assert found["dash_brain_puts_total", frozenset({("kind", "value")})] == 1
    assert found["dash_brain_gets_total", frozenset({("kind", "value")})] == 1
    missed = frozenset({("kind", "value"), ("cause", "unknown")})
    assert found["dash_brain_misses_total", missed] == 1
    assert found["dash_brain_used_bytes", frozenset()] == store.usage()
    assert found["dash_brain_reachable", frozenset()] == 1


def test_the_document_names_all_metrics_with_their_labels(store):
    page = (REPOSITORY / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(dash_brain_\w+)` \| ([\w`, ]*)\|", page, re.MULTILINE)
    found = samples(list(text_string_to_metric_families(text(stats(store)))))
    there = {name: {label for label, _ in labels} for name, labels in found}
    assert {name: set(re.findall(r"\w+", labels)) for name, labels in rows} == there
    used = set(re.findall(r"\bdash_brain_\w+", page.partition("## Alerts")[2]))
    assert used - there.keys() == set()


def test_a_registry_shows_the_same_as_the_text_and_reads_it_when_it_is_asked(store):
    registry = CollectorRegistry()
    register(registry, store)
    Brain("a-secret-namespace", store=store)["b"] = 1
    shown = samples(list(text_string_to_metric_families(generate_latest(registry).decode())))
    assert shown == samples(list(text_string_to_metric_families(text(stats(store)))))
    assert shown["dash_brain_puts_total", frozenset({("kind", "value")})] == 2


def test_labels_are_few_and_say_nothing_of_keys_and_sessions(store):
    shown = text(stats(store))
    assert "secret" not in shown
    assert set(re.findall(r'(\w+)="', shown)) == {"kind", "cause"}
    assert len(shown.splitlines()) < 150


def test_a_store_that_cannot_be_used_is_a_sample_and_no_failed_scrape(tmp_path):
    (tmp_path / "file").touch()
    registry = CollectorRegistry()
    register(registry, FileStore(tmp_path / "file"))
    shown = generate_latest(registry).decode()
    assert "dash_brain_reachable 0.0" in shown
    assert "dash_brain_used_bytes 0" not in shown


def test_a_registry_takes_one_store_and_another_registry_the_next(tmp_path):
    first, second = CollectorRegistry(), CollectorRegistry()
    register(first, FileStore(tmp_path / "a"))
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        register(first, FileStore(tmp_path / "b"))
    register(second, FileStore(tmp_path / "b"))
    assert b"dash_brain_used_bytes" in generate_latest(second)


def test_the_library_that_is_missing_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(
        NotInstalled, match=r"not installed\. Install it: pip install 'dash-brain\[prometheus\]'$"
    ):
        register()


def test_registering_opens_no_store(tmp_path):
    register(CollectorRegistry(auto_describe=True), f"file://{tmp_path}/store")
    assert not list(tmp_path.iterdir())
