"""Sessions and memory of one app on two hosts behind nginx, which share a Redis and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dash_brain.stores import Store
from dash_brain.stores.redis import RedisStore
from tests.app.test_lifetime import (  # noqa: F401 -- a fixture, and tests of memory that comes back
    GRACE,
    tab,
    test_a_page_whose_values_are_gone_heals_itself,
    test_closing_one_of_two_tabs_frees_its_own_values_only,
    test_closing_the_only_tab_frees_everything,
    test_each_store_of_a_page_keeps_one_value,
)
from tests.hosts import hosts
from tests.needs import needs_unshare
from tests.redis import KEY, redis_server, running
from tests.servers import Server
from tests.torture.sizes import size
from tests.torture.test_leaving import close_amid

pytestmark = needs_unshare


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a Redis, which is in a folder that all hosts see."""
    socket = tmp_path_factory.mktemp("redis") / "socket"
    with running(redis_server(), "--unixsocket", str(socket)):
        yield socket


@pytest.fixture(scope="module")
def store(socket: Path) -> Iterator[Store]:
    store = RedisStore(f"unix://{socket}", key=KEY)
    yield store
    store.close()


@pytest.fixture(scope="module")
def env(socket: Path) -> dict[str, str]:
    grace = {"DASH_BRAIN_GRACE": str(GRACE)}
    return {"DASH_BRAIN_STORE": f"unix://{socket}", "DASH_BRAIN_KEY": KEY, **grace}


@pytest.fixture(scope="module")
def served(env: dict[str, str]) -> Iterator[Server]:
    with hosts("tests.app.served:server", env) as server:
        yield server


def test_a_session_closed_on_one_host_is_closed_on_the_other_at_its_next_request(env: dict[str, str]) -> None:
    with hosts("tests.torture.served:server", env) as server:
        for number in range(size(3, 100)):
            close_amid(server.url, number)
