"""The browser tests of the gallery, with requests that go to two hosts in turn,
which share a Redis and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples.test_gallery import *  # noqa: F403 -- the tests themselves
from tests.hosts import hosts
from tests.needs import needs_unshare
from tests.redis import KEY, redis_server, running
from tests.servers import Server

pytestmark = needs_unshare


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The gallery behind nginx, in place of the one of a single host."""
    folder = tmp_path_factory.mktemp("shared")
    with running(redis_server(), "--unixsocket", f"{folder}/redis"):
        store = {"DASH_BRAIN_STORE": f"unix://{folder}/redis", "DASH_BRAIN_KEY": KEY}
        with hosts("examples.gallery:server", {**store, "EXAMPLES_FOLDER": str(folder)}) as server:
            yield server
