"""Hand a ready frame from callback to callback: two workers of gunicorn, and two pages that work at once.

Our pages claim what they hold after each value, as those in browsers do. The frame exists already, so what is
measured is handing it on: produce, claim, consume and add it up. What a page dropped lives for a second
(``grace``) and not for a minute, so that its memory comes back within the run.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any

from tests.benchmarks import callbacks
from tests.benchmarks.timing import Row, Times
from tests.benchmarks.workplace import Workplace
from tests.servers import gunicorn
from tests.torture.pages import Line, Page

PAGES = 2
WHAT = "a 32 MB frame from callback to callback; 90 characters over the wire"
DCC_STORE, CACHING = "`dcc.Store`, 60 MB of JSON in each direction", "Flask-Caching, files in `/dev/shm`"


def rows(place: Workplace) -> Iterator[Row]:
    env = {
        "DASH_BRAIN_STORE": f"file://{place.folder}/ours",
        "DASH_BRAIN_GRACE": "1",
        "BENCHMARK_CACHE": f"{place.folder}/cache",
    }
    # Each request has a connection of its own, or two pages could share a worker while the other is idle.
    with gunicorn("tests.benchmarks.app:server", workers=2, env=env) as server:
        ours = [partial(chain, Page(Line(server.url)).open()) for _ in range(PAGES)]
        cached = [
            partial(cached_chain, callbacks.Page(server.url), secrets.token_hex()) for _ in range(PAGES)
        ]
        sent = [partial(callbacks.Page(server.url).chain, "theirs", "their-total") for _ in range(PAGES)]
        yield Row(WHAT, DCC_STORE, in_turns(ours, sent, rounds=3), readme=True)
        yield Row(WHAT, CACHING, in_turns(ours, cached, rounds=7), readme=True)


def chain(page: Page) -> None:
    page.fire("ours.data", {"go.value": "1"})
    page.claim()
    page.fire("our-total.children", {"ours.data": page.held["ours"]})


def cached_chain(page: callbacks.Page, user: str) -> None:
    key = page.call("cached", "data", "go", "value", f'"{user}"')
    page.call("cached-total", "children", "cached", "data", key)


def in_turns(ours: Sequence[Callable[[], Any]], theirs: Sequence[Callable[[], Any]], rounds: int) -> Times:
    """Return the seconds of a chain in each round."""
    for contender in (ours, theirs):
        per_chain(contender, seconds=0.5)
    pairs = [(per_chain(ours), per_chain(theirs)) for _ in range(rounds)]
    return [own for own, _ in pairs], [other for _, other in pairs]


def per_chain(pages: Sequence[Callable[[], Any]], seconds: float = 2.0) -> float:
    """Have all pages work for so long, at least one chain each, and return the seconds that a chain took."""
    start = perf_counter()

    def work(page: Callable[[], Any]) -> int:
        done = 0
        while not done or perf_counter() < start + seconds:
            page()
            done += 1
        return done

    with ThreadPoolExecutor(len(pages)) as pool:
        done = sum(pool.map(work, pages))
    return (perf_counter() - start) / done
