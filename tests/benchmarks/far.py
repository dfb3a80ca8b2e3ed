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

RUNS = 7


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
    others: dict[str, Any] = {
        "Flask-Caching's Redis": cache,
        "dash-extensions' `RedisBackend`": RedisBackend(host=client),
    }
    for other in others.values():
        other.set("frame", frame)
    brain["frame"] = frame
    for name, other in others.items():
        read = partial(other.get, "frame")
        yield Row(
            "read 32 MB from Redis, the first time on a host", name, _first(brain, elsewhere, frame, read)
        )
        yield Row("read 32 MB again", name, in_rounds(partial(brain.recall, "frame"), read, 30))
        write = partial(brain.learn, "frame", frame), partial(other.set, "frame", frame)
        yield Row("write 32 MB to Redis", name, paired(*write, RUNS))
    yield from _of_dash(brain, client)
    store.put("brain/bench", "small", [bytes(1000)])
    client.set("small", bytes(1000))
    small = in_rounds(partial(store.get, "brain/bench", "small"), partial(client.get, "small"), 2000)
    yield Row("get 1 KB from a store in Redis", "a bare `GET` of redis-py", small)


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
        ("read a list of 4M numbers again", partial(brain.recall, "list"), partial(theirs.get, "list")),
        (
            "write a list of 4M numbers",
            partial(brain.learn, "list", value),
            partial(theirs.set, "list", value),
        ),
    ):
        yield Row(what, "shared storage of Dash", paired(ours, others, RUNS))
    times = paired(partial(brain.recall, "frame"), partial(theirs.get, "list"), RUNS)
    yield Row("read 32 MB again, as a frame", "shared storage of Dash, as a list", times)
