"""Values in a bucket, with near copies, beside pickle in an object of the same S3 server.

The server runs on this machine: over a network what has to be fetched takes longer, for both.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any

import pytest

from dash_brain import Brain
from dash_brain.stores import CopyStore, NearCopy
from dash_brain.stores.redis import RedisStore
from tests.benchmarks.timing import Row, in_rounds, paired
from tests.benchmarks.values import numbers
from tests.benchmarks.workplace import Workplace
from tests.redis import KEY, redis_server, running
from tests.s3 import BUCKET, S3, running_s3

RUNS = 9
PEER = "pickle and botocore"


def rows(place: Workplace) -> Iterator[Row]:
    with running(redis_server()) as server, running_s3() as s3, _told(s3):
        far = RedisStore(f"{server.url}?timeout=60&blobs=s3://{BUCKET}/bench", key=KEY)
        near = CopyStore(place.folder.name)
        with closing(far):
            try:
                yield from _rows(Brain("bench", store=NearCopy(far, near)), Brain("bench", store=far), s3)
            finally:
                near.close()
                with suppress(FileNotFoundError):
                    shutil.rmtree(near.place)


def _rows(brain: Brain, elsewhere: Brain, s3: S3) -> Iterator[Row]:
    client, frame = s3.client(), numbers(32)
    write = partial(_write, client, frame)
    yield Row("write 32 MB to a bucket", PEER, paired(partial(brain.learn, "frame", frame), write, RUNS))
    for number in range(RUNS + 1):
        elsewhere[f"first {number}"] = frame
    numbers_read, read = count(), partial(_read, client)
    first = paired(lambda: brain[f"first {next(numbers_read)}"], read, RUNS)
    yield Row("read 32 MB from a bucket, the first time on a host", PEER, first)
    yield Row("read 32 MB from a bucket again", PEER, in_rounds(partial(brain.recall, "frame"), read, 30))


def _write(client: Any, value: Any) -> None:
    client.put_object(Bucket=BUCKET, Key="frame", Body=pickle.dumps(value, protocol=5))


def _read(client: Any) -> Any:
    return pickle.loads(client.get_object(Bucket=BUCKET, Key="frame")["Body"].read())


@contextmanager
def _told(s3: S3) -> Iterator[None]:
    """Have the environment say where the server is."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in s3.environment.items():
            environment.setenv(name, value)
        yield
