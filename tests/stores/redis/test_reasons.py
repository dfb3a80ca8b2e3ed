"""The error for a value that is missing says how it went, for a while."""

from __future__ import annotations

import pytest
import redis

from dash_brain.errors import ValueMissing
from dash_brain.stores.base import needs_budget
from dash_brain.stores.redis.names import PREFIX
from tests.stores.redis.traffic import SPACE


def evict(store):
    needs_budget(store).resize(1_000_000)
    store.put("memo/f", "key", [bytes(600_000)])
    store.put("memo/f", "other", [bytes(600_000)])


FATES = {
    "deleted": lambda store: store.delete("memo/f", "key"),
    "dropped": lambda store: store.drop("memo/f"),
    "expired": lambda store: store.touch("memo/f", "key", 0),
    "swept": lambda store: (store.touch("memo/f", "key", 0), store.sweep()),
    "evicted": evict,
}
REASONS = {"dropped": "deleted", "swept": "expired"}


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("ask", ["get", "info", "touch"])
def test_reason_is_that_of_the_other_stores(store, fate, ask):
    store.put("memo/f", "key", [b"x"])
    FATES[fate](store)
    given = (5,) if ask == "touch" else ()
    with pytest.raises(ValueMissing) as caught:
        getattr(store, ask)("memo/f", "key", *given)
    assert caught.value.reason == REASONS.get(fate, fate)
    assert f"{caught.value.reason} " in str(caught.value)


def test_what_never_was_there_has_no_reason(store):
    with pytest.raises(ValueMissing) as caught:
        store.get(SPACE, "key")
    assert caught.value.reason == "unknown"


def test_what_is_remembered_is_bounded_in_number_and_size(store, lasting_server):
    for number in range(300):
        store.put(SPACE, f"{number} {'long' * 1000}", [b"x"])
    store.drop(SPACE)
    with redis.Redis(port=lasting_server.port) as client:
        kept = client.hgetall(PREFIX + b"gone")
        assert 200 < len(kept) <= 300
        assert all(0 <= int(place) < 4096 for place in kept)
        assert max(map(len, kept.values())) < 100
