"""What goes because its session is at its quota is told from what goes because the store is full."""

from __future__ import annotations

import pytest

from dash_brain import stats
from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.stores.namespaces import VALUE
from dash_brain.stores.redis import RedisStore
from tests.redis import KEY, redis_server, running

SESSION = "session/0123456789abcdef0123456789abcdef"


@pytest.fixture(params=["memory", "files", "redis"])
def roomy(request, tmp_path):
    """A store with room for all that these tests put."""
    if request.param == "redis":
        with running(redis_server()) as server:
            yield RedisStore(server.url, key=KEY)
    else:
        yield MemoryStore() if request.param == "memory" else FileStore(tmp_path)


def test_the_miss_says_that_the_session_was_at_its_quota_and_it_is_counted(roomy):
    for key in "abc":
        roomy.put(SESSION, key, [bytes(400_000)], ttl=3600.0, retention=VALUE.within(1_000_000))
    with pytest.raises(ValueMissing, match="because its session was at its quota") as caught:
        roomy.get(SESSION, "a")
    assert caught.value.reason == "evicted"
    assert "session_quota" in str(caught.value)
    assert "?size=" not in str(caught.value)
    found = stats(roomy).kinds["value"]
    assert (found.evicted, found.evicted_for_quota, found.misses["evicted"]) == (1, 1, 1)
    assert found.evicted_bytes >= 400_000


@pytest.mark.parametrize("make", [MemoryStore, FileStore], ids=["memory", "files"])
def test_what_makes_room_in_a_full_store_is_not_counted_as_of_a_quota(make, tmp_path):
    store = make(size="1MB") if make is MemoryStore else make(tmp_path, size="1MB")
    for key in "abc":
        store.put(SESSION, key, [bytes(400_000)], ttl=3600.0, retention=VALUE.within(2_000_000))
    found = stats(store).kinds["value"]
    assert (found.evicted, found.evicted_for_quota) == (1, 0)
