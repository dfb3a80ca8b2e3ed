"""The examples with dash_brain: what each of them promises, seen in a browser."""

from __future__ import annotations

import json
import re
from itertools import combinations

import pytest
import requests

from tests.examples.conftest import assert_accessible, resize, serving
from tests.examples.visits import visit
from tests.programs import REPOSITORY

#: Seconds that it takes to compute a value of the examples, at least.
COMPUTING = 3


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """One of its own: what it computes, and says in its log, is for these tests."""
    with serving(tmp_path_factory.mktemp("caches")) as server:
        yield server


def timestamps(text):
    return re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", text)


def test_the_index_leads_to_every_example_and_its_original(gallery, browser_for_module):
    browser = browser_for_module
    browser.get(gallery.url)
    links = {link.get_attribute("href") for link in browser.find_elements("css selector", ".links a")}
    originals = {path.stem for path in REPOSITORY.glob("examples/plain/*.py")} - {"private_folder"}
    names = [*originals, *(f"{name}_plain" for name in originals)]
    assert len(names) == 20
    assert links == {f"{gallery.url}/{name}/" for name in names}
    for width in (400, 900, 1600):
        resize(browser, width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert_accessible(browser)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_each_page_shows_its_code_and_links_a_page_of_the_documents(gallery, browser_for_module):
    originals = {path.stem for path in REPOSITORY.glob("examples/plain/*.py")} - {"private_folder"}
    documents = set()
    for name in [*originals, *(f"{name}_plain" for name in originals)]:
        page = requests.get(f"{gallery.url}/{name}/", timeout=60).text
        assert f"examples/plain/{name.removesuffix('_plain')}.py</b>" in page
        documents |= set(re.findall(r'href="(/docs/[^"]+)"', page))
    for document in documents:
        requests.get(gallery.url + document, timeout=60).raise_for_status()
    browser_for_module.get(gallery.url + min(documents))
    assert_accessible(browser_for_module)


def test_ten_megabytes_are_cleaned_once_and_less_than_a_kilobyte_moves(gallery, page):
    cleaning = page("cleaning")
    cleaning.open(callbacks=3)
    assert gallery.log.count("Cleaning Harbour") == 1
    calls = cleaning.network()
    assert calls["intermediate-value.data"].response_bytes < 1000
    assert max(call.request_bytes for call in calls.values()) < 1000
    assert cleaning.figure("graph", "data[0].x.length") == 720
    assert "temperature" in cleaning.text("table")

    assert cleaning.choose("dropdown", "Airport", callbacks=3) > 3
    assert gallery.log.count("Cleaning Airport") == 1
    cleaning.assert_accessible(with_code=True)
    cleaning.assert_console_is_clean()


def test_each_graph_reads_its_own_of_three_frames(gallery, page):
    aggregations = page("aggregations")
    aggregations.open(callbacks=4)
    assert gallery.log.count("Querying Lisbon") == 1
    assert aggregations.figure("graph1", "data[0].x.length") == 52
    titles = [aggregations.figure(f"graph{number}", "layout.title.text") for number in (1, 2, 3)]
    assert titles == ["Apples sold per week", "Price of oranges by month", "Orders of figs by weight"]
    assert max(call.request_bytes for call in aggregations.network().values()) < 1000
    aggregations.assert_accessible()
    aggregations.assert_console_is_clean()


def two_at_once(calls):
    """Say whether two workers were drawing graphs at one moment.

    A graph takes a few milliseconds: not all four need be under way at once, nor on a busy machine any two.
    """
    graphs = [calls[f"graph-{number}.figure"] for number in (1, 2, 3, 4)]
    return any(one.worker != other.worker and overlap(one, other) for one, other in combinations(graphs, 2))


def overlap(one, other):
    return max(one.start, other.start) < min(one.end, other.end)


def test_four_graphs_share_one_computation_and_come_from_several_workers(gallery, page):
    signalling = page("signalling")
    assert signalling.open(callbacks=5) > COMPUTING
    assert gallery.log.count("Computing value with apples") == 1
    for _ in range(5):
        if seen := two_at_once(signalling.network()):
            break
        signalling.reload(callbacks=5)
    assert seen
    types = [signalling.figure(f"graph-{number}", "data[0].type") for number in (1, 2, 3, 4)]
    assert types == ["scatter", "scatter", "histogram2d", "histogram2dcontour"]
    assert signalling.figure("graph-1", "data[0].mode") == "markers"
    assert signalling.figure("graph-2", "data[0].line.shape") == "spline"
    assert signalling.figure("graph-4", "data[0].x.length") == 500
    signalling.assert_accessible()
    signalling.assert_console_is_clean()


def test_while_one_worker_computes_the_others_answer_and_what_was_computed_stays(gallery, page):
    signalling = page("signalling")
    signalling.open(callbacks=5)
    signalling.driver.find_element("id", "dropdown").click()
    signalling.wait(lambda: signalling._option("pineapples")).click()
    signalling.wait(lambda: "Computing value with pineapples" in gallery.log)
    for _ in range(2):  # which has to be over within the three seconds
        requests.get(f"{gallery.url}/signalling/", timeout=60).raise_for_status()
    assert signalling.badge()["waiting"] == "1"
    signalling.wait(lambda: signalling.settled(callbacks=5))
    signalling.choose("dropdown", "apples", callbacks=5)
    signalling.reload(callbacks=5)
    another, _ = visit(gallery.url, "signalling")  # of somebody else
    assert len(another.props["graph-1"]["figure"]["data"][0]["x"]) == 500
    assert gallery.log.count("Computing value with apples") == 1
    assert gallery.log.count("Computing value with pineapples") == 1


def test_a_session_sees_one_set_of_timestamps_and_another_session_another(gallery, page):
    mine = page("session_data")
    mine.open(callbacks=3)
    seen = timestamps(mine.text("output-1"))
    assert len(seen) == 4
    assert timestamps(mine.text("output-2")) == seen
    mine.driver.find_element("id", "get-data-button").click()
    mine.wait(
        lambda: "clicked 1 times" in mine.text("output-1") and "clicked 1 times" in mine.text("output-2")
    )
    assert timestamps(mine.text("output-1")) == timestamps(mine.text("output-2")) == seen
    mine.reload(callbacks=3)
    assert timestamps(mine.text("output-1")) == timestamps(mine.text("output-2")) == seen
    assert [line[-1] for line in mine.text("output-1").splitlines()[-4:]] == ["a", "b", "a", "c"]

    yours, _ = visit(gallery.url, "session_data")
    told = [timestamps(json.dumps(yours.props[output])) for output in ("output-1", "output-2")]
    assert len(told[0]) == 4
    assert told[1] == told[0]
    assert not set(told[0]) & set(seen)
    mine.assert_accessible()
    mine.assert_console_is_clean()


def test_switching_the_unit_fetches_nothing(page):
    temperature = page("temperature")
    assert temperature.open(callbacks=2) > 3
    celsius, fetched = temperature.text("temperature").splitlines()
    temperature.network()
    temperature.driver.find_element("css selector", "#unit label:last-of-type").click()
    temperature.wait(lambda: "°F" in temperature.text("temperature"))
    fahrenheit, fetched_again = temperature.text("temperature").splitlines()
    assert fetched_again == fetched
    assert abs(degrees(celsius) * 9 / 5 + 32 - degrees(fahrenheit)) < 0.2
    (call,) = temperature.network().values()
    assert call.output == "..temperature.children...graph.figure.."
    assert call.request_bytes < 1000
    temperature.assert_accessible()
    temperature.assert_console_is_clean()


def degrees(text):
    return float(text.split()[0])


def test_the_flights_answer_filters_clicks_and_sorting_within_kilobytes(page):
    flights = page("flights")
    flights.open(callbacks=7)
    assert "336,776" in flights.text("numbers")
    calls = flights.network()
    assert calls["selection.data"].response_bytes < 1000
    assert max(call.request_bytes for call in calls.values()) < 1000
    assert int(flights.badge()["bytes"]) < 100_000
    assert "KB" in flights.text("wire-total")
    assert flights.text("wire-note") == "plain Dash moves 258 MB"

    assert "1301" in flights.text("table")  # the longest delay comes first
    header = "#table th[data-dash-column=distance] .column-header--sort"
    flights.driver.find_element("css selector", header).click()
    flights.wait(lambda: "EWR LGA" in flights.text("table"))  # the shortest way, 17 miles
    (call,) = flights.network().values()
    assert call.output == "..table.data...table.page_count.."

    flights.choose("origin", "LGA", callbacks=7)
    assert "104,662" in flights.text("numbers")
    click_on_the_worst_hour(flights)
    flights.wait(lambda: flights.text("weekday") and flights.text("hour") == "21")
    flights.wait(lambda: "104,662" not in flights.text("numbers"))
    flights.assert_console_is_clean()


def click_on_the_worst_hour(flights):
    flights.driver.execute_script(
        "const heat = document.querySelector('#hours .js-plotly-plot');"
        "heat.emit('plotly_click', {points: [{x: 21, y: 'Thu', data: {}, fullData: {}}]})"
    )
