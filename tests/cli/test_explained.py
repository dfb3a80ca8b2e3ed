"""An operator who did not write an app learns from the command and the metrics alone which store is full, who
holds it, what was evicted and why, and what memoizing saves."""

from __future__ import annotations

import pytest
from dash import Dash, Input, Output, dcc, html
from prometheus_client.parser import text_string_to_metric_families

from dash_brain import Brain, Memoize, ServerStore, brain_callback, configure, session_brain
from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.settings import current
from dash_brain.stores import FileStore
from tests.cli.commands import run

BUDGET, QUOTA, TOKEN = 4_000_000, 1_000_000, "a-token-of-the-scraper"
#: How a memoized callback is named, here as in the log.
NAMES = f"{__name__}.desk.<locals>.names <Output `rows.data`>"


@pytest.fixture
def brain_store(tmp_path):
    return FileStore(tmp_path, size=BUDGET)


@pytest.fixture
def desk(brain_store):
    """An app with a quota for its sessions, and what another process feeds into its store."""
    current.forget()
    configure(session_quota=QUOTA, metrics=TOKEN)
    Brain("market", store=brain_store)["prices"] = bytes(2_000_000)
    app = Dash("desk")
    app.layout = [
        dcc.Dropdown(["north", "south"], "north", id="region"),
        ServerStore(id="orders"),
        ServerStore(id="rows"),
        html.Div(id="count"),
    ]

    @brain_callback(Output("orders", "data"), Input("region", "value"), app=app)
    def load(region):
        session_brain["last"] = region
        return bytes(400_000)

    @brain_callback(
        Output("rows", "data"), Input("region", "value"), app=app, memoize=Memoize("app", ttl=600)
    )
    def names(region):
        return [region] * 1000

    brain_callback(Output("count", "children"), Input("orders", "data"), app=app)(len)
    yield app
    current.forget()


def metrics_of(page) -> dict[str, float]:
    """Return the metrics at the path of the app: the number by name and labels."""
    answer = page.client.get("/_dash-brain-metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return {
        " ".join([one.name, *one.labels.values()]).removeprefix("dash_brain_"): one.value for one in samples
    }


def namespaces(url: str) -> list[str]:
    return [one["namespace"] for one in run("ls", "--json", store=url).json["namespaces"]]


def test_a_session_at_its_quota_is_told_from_a_store_that_is_full(desk, brain_app, tmp_path):
    page, url = brain_app(desk), f"file://{tmp_path}"
    for _ in range(4):  # of which a session may keep two
        page.call("orders.data")
    metrics, found = metrics_of(page), run("stats", "--json", store=url).json
    assert metrics["used_bytes"] < metrics["budget_bytes"] == found["budget"] == BUDGET
    assert metrics["evictions_total value"] == metrics["quota_evictions_total value"] == 2
    assert metrics["evicted_bytes_total value"] == found["work"]["kinds"]["value"]["evicted_bytes"] >= 800_000
    assert "KB, 2 values of sessions that were at their quota\n" in run("stats", store=url).out

    (session,) = [one for one in found["largest"] if one["namespace"].startswith("session/")]
    assert 800_000 <= session["bytes"] <= QUOTA
    held = run("ls", session["namespace"], "--json", store=url).json["values"]
    assert [one["server_store"] for one in held] == ["orders", "orders"]
    one = run("inspect", held[0]["name"], "-n", session["namespace"], "--json", store=url).json
    assert (one["type"], one["server_store"]) == ("bytes", "orders")


def test_a_full_store_is_told_with_who_holds_it_and_what_it_lost(desk, brain_app, brain_store, tmp_path):
    pages, url = [brain_app(desk) for _ in range(6)], f"file://{tmp_path}"
    for page in pages:
        page.call("orders.data")
        page.call("rows.data")
    with pytest.raises(ValueMissing, match=r"ServerStore 'orders' is gone: it was evicted .* to make room"):
        pages[0].call("count.children")
    with pytest.raises(StoreFull):
        Brain("market", store=brain_store)["history"] = bytes(3_000_000)

    metrics, found = metrics_of(pages[1]), run("stats", "--json", store=url).json
    values = found["work"]["kinds"]["value"]
    assert found["largest"][0]["namespace"] == "brain/market"
    assert found["bytes"] == metrics["used_bytes"] > 0.8 * found["budget"]
    assert values["evicted"] == metrics["evictions_total value"] > 0
    assert values["evicted_for_quota"] == metrics["quota_evictions_total value"] == 0
    assert values["misses"]["evicted"] == metrics["misses_total value evicted"] == 1
    assert "Values that were gone when they were read: 1 evicted\n" in run("stats", store=url).out
    [note] = [
        one for one in run("doctor", "--json", store=url).json["findings"] if one["check"] == "evictions"
    ]
    assert f"{values['evicted']} values to make room in the store" in note["says"]
    assert "a larger budget" in note["remedy"]
    assert values["refused"] == metrics["refused_puts_total value"] == 1
    assert metrics["hits_total"] + metrics["computations_total"] == 6  # what was evicted is computed again
    assert metrics["hits_total"] == found["work"]["hits"] > 0
    (memo,) = [one for one in namespaces(url) if one.startswith("memo/")]
    assert [one["function"] for one in run("ls", memo, "--json", store=url).json["values"]] == [NAMES]
