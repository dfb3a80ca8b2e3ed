"""The browser tests of the gallery, with requests that go to two hosts in turn,
which share a Redis and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples.test_gallery import *  # noqa: F403 -- the tests themselves
from tests.hosts import hosts
from tests.needs import needs_unshare
from tests.servers import Server

pytestmark = needs_unshare


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The gallery behind nginx, in place of the one of a single host."""
    folder = tmp_path_factory.mktemp("shared")
    env = {"DASH_BRAIN_STORE": f"file://{folder}/store", "EXAMPLES_FOLDER": str(folder)}
    with hosts("examples.gallery:server", env) as server:
        yield server
