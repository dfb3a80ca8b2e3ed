"""Example 3 when many look at once: every value is computed once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import chrome
from tests.examples.conftest import Page

BROWSERS = 12


def test_12_browsers_at_once_have_8_workers_compute_each_value_once(serve, tmp_path):
    server = serve("examples.gallery:server", workers=8, env={"DASH_BRAIN_STORE": f"file://{tmp_path}/store"})
    together = threading.Barrier(BROWSERS, timeout=200)

    def look(number):
        with chrome() as driver:
            page = Page(driver, f"{server.url}/signalling/", pause=0.5)
            together.wait()
            page.open(callbacks=5)
            page.choose("dropdown", "figs" if number % 2 else "oranges", callbacks=5)
            workers = {call.worker for call in page.network().values()}
            return page.figure("graph-1", "data[0].x.length"), workers

    with ThreadPoolExecutor(BROWSERS) as pool:
        seen = list(pool.map(look, range(BROWSERS)))
    assert [points for points, _ in seen] == [1000, 2000] * (BROWSERS // 2)
    for fruit in ("apples", "oranges", "figs"):
        assert server.log.count(f"Computing value with {fruit}") == 1
    assert len(set().union(*(workers for _, workers in seen))) > 4
