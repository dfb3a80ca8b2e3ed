"""Example 3 when many look at once: every value is computed once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import requests

from tests.browsers import chrome
from tests.examples.conftest import Page
from tests.torture.sizes import size

#: Some have a browser. The others ask for the same without one, as drawing takes most of the time.
USERS = 12
BROWSERS = size(1, 4)
WORKERS = 8


def test_12_users_at_once_have_8_workers_compute_each_value_once(serve, tmp_path):
    env = {"DASH_BRAIN_STORE": f"file://{tmp_path}/store"}
    server = serve("examples.gallery:server", workers=WORKERS, env=env, options=["--preload"])
    ready = threading.Barrier(USERS, timeout=200).wait

    def look(number: int) -> tuple[int, set[str]]:
        looks = in_a_browser if number < BROWSERS else without_one
        return looks(f"{server.url}/signalling/", "figs" if number % 2 else "oranges", ready)

    with ThreadPoolExecutor(USERS) as pool:
        seen = list(pool.map(look, range(USERS)))
    assert [points for points, _ in seen] == [1000, 2000] * (USERS // 2)
    for fruit in ("apples", "oranges", "figs"):
        assert server.log.count(f"Computing value with {fruit}") == 1
    assert len(set().union(*(workers for _, workers in seen))) > 4


def in_a_browser(url: str, fruit: str, ready: Any) -> tuple[int, set[str]]:
    """Open the page and choose a fruit; return how many points are drawn, and which workers answered."""
    with chrome() as driver:
        page = Page(driver, url, pause=0.5)
        ready()
        page.open(callbacks=5)
        page.choose("dropdown", fruit, callbacks=5)
        workers = {call.worker for call in page.network().values()}
        return page.figure("graph-1", "data[0].x.length"), workers


def without_one(url: str, fruit: str, ready: Any) -> tuple[int, set[str]]:
    """Do the same with the requests that the page would send."""
    fire = partial(answer, f"{url}_dash-update-component")
    ready()
    fire("signal.data", "dropdown.value", "apples")
    token, first = fire("signal.data", "dropdown.value", fruit)
    figure, second = fire("graph-1.figure", "signal.data", token)
    return len(figure["data"][0]["x"]), {first, second}


def answer(url: str, output: str, source: str, value: str) -> tuple[Any, str]:
    """Return the answer of a callback with one input, and the worker that gave it."""
    written, read = output.split("."), source.split(".")
    body = {
        "output": output,
        "outputs": {"id": written[0], "property": written[1]},
        "inputs": [{"id": read[0], "property": read[1], "value": value}],
        "changedPropIds": [source],
    }
    response = requests.post(url, json=body, timeout=60)
    return response.json()["response"][written[0]][written[1]], response.headers["X-Worker"]
