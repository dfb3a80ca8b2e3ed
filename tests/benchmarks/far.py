"""Values in Redis with near copies, beside what else keeps values of an app there.

All contenders use one Redis, which the benchmark starts on this machine: over a network a value that has to
be fetched takes longer, for all of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import dash
import redis
from cachelib import RedisCache
from dash_extensions.enrich import RedisBackend

from dash_brain import Brain
from dash_brain.stores import CopyStore, NearCopy, Store
from dash_brain.stores.redis import RedisStore
from tests.benchmarks.timing import Contender, Row, in_rounds, paired
from tests.benchmarks.values import numbers
from tests.benchmarks.workplace import Workplace
from tests.redis import KEY, redis_server, running

RUNS = 9


def rows(place: Workplace) -> Iterator[Row]:
    with running(redis_server()) as server:
        far = RedisStore(server.url, key=KEY)
        near = CopyStore(place.folder.name)
        try:
            yield from _rows(NearCopy(far, near), far, server.url)
        finally:
            near.close()
            with suppress(FileNotFoundError):
                shutil.rmtree(near.place)


def _rows(store: Store, far: Store, url: str) -> Iterator[Row]:
    client, frame = redis.Redis.from_url(url), numbers(32)
    brain, elsewhere = Brain("bench", store=store), Brain("bench", store=far)
    cache = RedisCache(client, key_prefix="cache:")
    others: dict[str, Any] = {"Flask-Caching's Redis": cache, "RedisBackend": RedisBackend(host=client)}
    for other in others.values():
        other.set("frame", frame)
    brain["frame"] = frame
    for name, other in others.items():
        read = partial(other.get, "frame")
        yield Row(
            f"first read of 32 MB on a host / {name}", _first(brain, elsewhere, frame, read), "2x or more"
        )
    for name, other in others.items():
        times = paired(partial(brain.recall, "frame"), partial(other.get, "frame"), 31)
        yield Row(f"second read of 32 MB / {name}", times, "300x, 0.3 ms")
    for name, other in others.items():
        times = paired(partial(brain.learn, "frame", frame), partial(other.set, "frame", frame), RUNS)
        yield Row(f"write 32 MB / {name}", times, "1.2x or more")
    yield from _of_dash(brain, client)
    store.put("brain/bench", "small", [bytes(1000)])
    client.set("small", bytes(1000))
    small = in_rounds(partial(store.get, "brain/bench", "small"), partial(client.get, "small"), 2000)
    yield Row("get 1 KB of a store / GET of redis-py", small, "0.77x or more")


def _first(brain: Brain, elsewhere: Brain, frame: Any, theirs: Contender) -> Any:
    """Read frames that were stored on another host, each for the first time."""
    for number in range(RUNS + 1):
        elsewhere[f"first {number}"] = frame
    numbers_read = count()
    try:
        return paired(lambda: brain[f"first {next(numbers_read)}"], theirs, RUNS)
    finally:
        for number in range(RUNS + 1):
            del brain[f"first {number}"]


def _of_dash(brain: Brain, client: redis.Redis) -> Iterator[Row]:
    """Compare with the shared storage of Dash 4.5, which takes what JSON can hold."""
    if not hasattr(dash, "RedisSharedStorage"):
        return
    theirs = dash.RedisSharedStorage(client=client)
    value = {"numbers": numbers(32).to_numpy().ravel().tolist()}
    brain["list"] = value
    theirs.set("list", value)
    for what, ours, others in (
        ("second read", partial(brain.recall, "list"), partial(theirs.get, "list")),
        ("write", partial(brain.learn, "list", value), partial(theirs.set, "list", value)),
    ):
        yield Row(f"{what} of a list of 4M numbers / shared storage of Dash", paired(ours, others, RUNS), "")
    frame = numbers(32)
    brain["frame"] = frame
    yield Row(
        "second read of 32 MB as a frame / as a list in shared storage of Dash",
        paired(partial(brain.recall, "frame"), partial(theirs.get, "list"), RUNS),
        "300x, 0.3 ms",
    )
