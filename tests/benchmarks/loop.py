"""How late an event loop is while twenty callbacks wait for one result that takes three seconds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles

from tests.app.test_asgi import Visitor, served
from tests.backends import ASGI
from tests.benchmarks.timing import Fact
from tests.benchmarks.workplace import Workplace

CALLERS = 20
SECONDS = 2.5


def rows(place: Workplace) -> Iterator[Fact]:
    for backend in ASGI:
        for kind in ("wait", "wait-async"):
            with served(backend, place.folder / f"{backend}-{kind}", 1) as url, Visitor(url) as visitor:
                for state, callers in (("nobody waits", 0), (f"{CALLERS} {kind}", CALLERS)):
                    lags = [1000 * lag for lag in measured(visitor, kind, callers)]
                    name = f"{backend}, {state}"
                    p99 = quantiles(lags, n=100)[-1]
                    late = f"median {median(lags):.2f} ms, 99% {p99:.2f} ms, at most {max(lags):.2f} ms"
                    yield Fact(name, late)


def measured(visitor: Visitor, kind: str, callers: int) -> list[float]:
    """Return how late the loop was, in seconds, while so many wait."""
    with ThreadPoolExecutor(callers + 1) as threads:
        lags = threads.submit(visitor.post, "lag-text.children", {"lag.n_clicks": SECONDS})
        for number in range(callers):
            threads.submit(visitor.call, f"{kind}-text.children", {f"{kind}.n_clicks": number})
        found: list[float] = lags.result().json()["response"]["lag-text"]["children"]
    return found
