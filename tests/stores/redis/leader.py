"""A process that makes a value until it is told that it may end; its arguments are a URL and a folder."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dash_brain import Brain
from dash_brain.stores.redis import RedisStore
from tests.redis import KEY


def make(folder: str) -> int:
    """Return the id of the process that makes it."""
    (Path(folder) / f"{os.getpid()} began").touch()
    while not (Path(folder) / f"{os.getpid()} may end").exists():
        time.sleep(0.01)
    return os.getpid()


def memoized(url: str):
    """Return the function, memoized in the store."""
    brain = Brain("leaders", store=RedisStore(url, key=KEY))
    return brain.memoize(key=lambda folder: folder)(make)


if __name__ == "__main__":
    from tests.stores.redis import leader  # the function is known by the name of its module

    print(leader.memoized(sys.argv[1])(sys.argv[2]))
