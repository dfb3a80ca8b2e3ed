"""The plain-Dash originals: they run on today's libraries, and cost what the examples say that they cost."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.examples.test_gallery import timestamps
from tests.examples.visits import opened, visit


@pytest.fixture(scope="module")
def browser_for_module(browser_for_module):
    """Keep no network log: chromedriver takes minutes over requests of 40 MB."""
    browser_for_module.execute_cdp_cmd("Network.disable", {})
    return browser_for_module


@pytest.mark.parametrize(
    ("name", "callbacks", "least_bytes"),
    [("cleaning", 3, 40e6), ("signalling", 5, 0), ("temperature", 2, 30e3), ("explore", 3, 0)],
)
def test_the_original_runs_and_moves_its_data_through_the_browser(gallery, name, callbacks, least_bytes):
    page, ran = visit(gallery.url, f"{name}_plain")
    assert ran == callbacks
    assert page.client.moved > least_bytes


def test_the_original_runs_the_query_for_each_output_and_they_differ(gallery):
    page = opened(gallery.url, "session_data_plain")
    with ThreadPoolExecutor(2) as pool:  # at once, as a browser does
        list(pool.map(page.fire, ["output-1.children", "output-2.children"]))
    first, second = (timestamps(json.dumps(page.props[output])) for output in ("output-1", "output-2"))
    assert len(first) == len(second) == 4
    assert first != second


def test_the_original_moves_its_data_and_the_page_tells_what_that_was_in_this_browser(page):
    original = page("aggregations_plain")
    assert original.open(callbacks=4) > 3
    moved = int(original.badge()["bytes"])
    assert moved > 20e6
    original.assert_console_is_clean()
    example = page("aggregations")
    example.open(callbacks=4)
    assert f"plain Dash: {moved / 1e6:.1f} MB" in example.text("wire")


def test_the_flights_page_tells_truly_what_its_original_moves(gallery):
    url = f"{gallery.url}/flights_plain/_dash-"

    def fire(output, outputs, inputs):
        body = {"output": output, "outputs": outputs, "inputs": inputs, "changedPropIds": []}
        return requests.post(f"{url}update-component", json=body)

    declared = requests.get(f"{url}dependencies").json()
    (filters,) = (one["inputs"] for one in declared if one["output"] == "selection.data")
    inputs = [{**one, "value": [1, 12] if one["id"] == "months" else None} for one in filters]
    answer = fire("selection.data", {"id": "selection", "property": "data"}, inputs)
    # Down once, and up six times, which takes a browser its time.
    assert f"{7 * len(answer.content) / 1e6:.3g}" == "258"  # as the page says: see test_gallery.py
    selection = answer.json()["response"]["selection"]["data"]
    names = "numbers", "wire-note"
    shown = fire(
        "..numbers.children...wire-note.children..",
        [{"id": name, "property": "children"} for name in names],
        [{"id": "selection", "property": "data", "value": selection}],
    )
    assert "336,776" in shown.text


def test_the_original_loads_a_copy_in_each_worker_that_answers(gallery):
    page, _ = visit(gallery.url, "load_once_plain")
    loaded = set(re.findall(r"Loading a copy in worker (\d+)", gallery.log))
    answered = re.search(r"this answer: worker (\d+)", json.dumps(page.props["numbers"]))
    assert answered is not None
    assert answered[1] in loaded


def test_the_original_shows_other_prices_from_each_worker(gallery):
    page, _ = visit(gallery.url, "feeder_plain")
    workers, deadline = set(), time.monotonic() + 60
    while len(workers) < 2:
        assert time.monotonic() < deadline, f"only {workers} answered"
        page.fire("numbers.children")
        workers |= set(re.findall(r"worker \d+", json.dumps(page.props["numbers"])))
