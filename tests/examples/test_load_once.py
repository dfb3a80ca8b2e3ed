"""The example `load_once`: one load per host, whatever happens to the workers, and nobody served before."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from dash_brain import Brain
from examples.worker_memory import held
from tests.examples.conftest import Page
from tests.programs import REPOSITORY
from tests.servers import gunicorn
from tests.torture.sizes import size

WORKERS = size(4, 8)
TABS = size(3, 20)
#: What the private memory of all workers may grow by, as the page says: 10 MB for each of their threads.
#: In each it is 5 MB, when Dash reads its largest script. A copy of the frame would be 101 MB.
BOUND = WORKERS * 10e6
CALLBACK = {
    "output": "..graph.figure...numbers.children...table.children..",
    "outputs": [
        {"id": "graph", "property": "figure"},
        {"id": "numbers", "property": "children"},
        {"id": "table", "property": "children"},
    ],
    "inputs": [{"id": "dropdown", "property": "value", "value": "The whole year"}],
    "changedPropIds": ["dropdown.value"],
}


@pytest.fixture(scope="module")
def new_store():
    """Make the addresses of stores in shared memory in which nothing is loaded yet."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield lambda name: f"file://{folder}/{name}"


@pytest.fixture(scope="module")
def served(new_store):
    url = new_store("once")
    folder, env = REPOSITORY / "examples", {"DASH_BRAIN_STORE": url}
    options = ["--graceful-timeout=1"]  # an idle connection of a browser keeps a worker from ending
    with gunicorn(
        "load_once:server", workers=WORKERS, folder=folder, env=env, options=options, fork=False
    ) as server:
        yield server, Brain("load_once", url=url)


def ask_all(url, workers, ask):
    """Ask many times at once until so many workers have answered, and return their process ids."""
    deadline, answered = time.monotonic() + 90, set()
    with ThreadPoolExecutor(16) as pool:
        while len(answered) < workers:
            assert time.monotonic() < deadline, f"only {answered} answer"
            answered |= set(pool.map(ask, [url] * 32))
    return answered


def ready(url):
    answer = requests.get(f"{url}/ready", timeout=60)
    assert answer.status_code == 200
    return int(re.findall(r"\d+", answer.text)[0])


def drawn(url):
    answer = requests.post(f"{url}/_dash-update-component", json=CALLBACK, timeout=60)
    assert answer.status_code == 200
    return int(re.findall(r"this answer: worker (\d+)", answer.text)[0])


def test_one_of_many_workers_loads_it(served):
    server, brain = served
    assert len(ask_all(server.url, WORKERS, ready)) == WORKERS
    assert len(brain["loads"]) == 1
    assert server.log.count("Loading in worker") == 1


def test_the_page_tells_that_it_is_in_memory_once(served, browser_for_module):
    server, brain = served
    page = Page(browser_for_module, server.url)
    page.open(callbacks=1)
    assert "once" in page.text("numbers")
    assert f"by worker {brain['loads'][0][0]}" in page.text("numbers")
    assert f"a copy each: {WORKERS * 100.9152:.0f} MB" in page.text("numbers")
    assert len(page.driver.find_elements("css selector", "#table tr")) == WORKERS + 2
    assert page.figure("graph", "data.map(line => line.y._inputArray.length)") == [365] * 3
    page.choose("dropdown", "March", callbacks=1)
    page.wait(lambda: page.figure("graph", "data[0].y._inputArray.length") == 31 * 24)
    page.assert_accessible()
    page.assert_console_is_clean()


def test_many_tabs_leave_the_memory_of_the_workers_as_it_is(served, browser_for_module):
    server, brain = served
    workers = ask_all(server.url, WORKERS, drawn)
    before = private(workers)
    tabs = open_tabs(browser_for_module, server.url)
    assert private(workers) - before < BOUND
    close_tabs(browser_for_module, tabs)
    assert private(workers) - before < BOUND
    each = [held(pid)[1] for pid in workers]
    assert max(each) - min(each) < 50e6  # the one that has loaded it holds no copy either
    # Between them they have read three columns of 25 MB, and share them.
    assert 70e6 < sum(held(pid)[0] for pid in workers) < 105e6
    assert len(brain["loads"]) == 1


def private(workers):
    return sum(held(pid)[1] for pid in workers)


def open_tabs(browser, url):
    before = set(browser.window_handles)
    for _ in range(TABS):
        browser.execute_script("window.open(arguments[0])", url)
    tabs = [handle for handle in browser.window_handles if handle not in before]
    for tab in tabs:
        browser.switch_to.window(tab)
        page = Page(browser, url)
        page.wait(lambda page=page: "once" in page.text("numbers"))
    assert len(tabs) == TABS
    return tabs


def close_tabs(browser, tabs):
    for tab in tabs:
        browser.switch_to.window(tab)
        browser.close()
    browser.switch_to.window(browser.window_handles[0])


def test_a_killed_loader_is_followed_by_another_and_nobody_is_served_before(new_store):
    url = new_store("killed")
    brain, arguments = Brain("load_once", url=url), {"folder": REPOSITORY / "examples", "workers": 2}
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_the_first_loader, brain)
        with gunicorn("load_once:server", env={"DASH_BRAIN_STORE": url}, **arguments) as server:
            assert "readings" in brain  # at the first answer that there was
            assert killed.result() not in ask_all(server.url, 2, drawn)
            assert [pid for pid, _ in brain["loads"]] == loaders(server.log)
            assert len(set(loaders(server.log))) == 2


def test_with_preload_the_master_loads_and_its_workers_share_the_frame(new_store):
    url = new_store("master")
    folder, env = REPOSITORY / "examples", {"DASH_BRAIN_STORE": url}
    with gunicorn("load_once:server", workers=2, folder=folder, env=env, options=["--preload"]) as server:
        workers = ask_all(server.url, 2, drawn)
        assert loaders(server.log) == [server.process.pid]
        assert 70e6 < sum(held(pid)[0] for pid in workers) < 105e6


def kill_the_first_loader(brain):
    brain.wait("loads", None, timeout=60)
    ((loader, _),) = brain["loads"]
    os.kill(loader, signal.SIGKILL)
    return loader


def loaders(log):
    return [int(pid) for pid in re.findall(r"Loading in worker (\d+)", log)]
