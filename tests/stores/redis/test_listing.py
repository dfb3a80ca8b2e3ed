"""Listing what lies in Redis takes a round trip for hundreds of objects, and not one for each."""

from __future__ import annotations

from dash_brain import Brain
from dash_brain.cli import survey
from dash_brain.stores.redis import RedisStore
from tests.redis import KEY

SPACE = "brain/listed"
OBJECTS = 250


def scripts(store: RedisStore) -> int:
    """Return how many steps Redis was asked for so far."""
    return int(store._link.call(lambda client: client.info("commandstats"))["cmdstat_evalsha"]["calls"])


def test_objects_are_listed_by_the_hundred(url):
    store = RedisStore(url, key=KEY)
    for number in range(OBJECTS):
        store.put(SPACE, str(number), [b"x"])
    before = scripts(store)
    found = list(survey.listed(store, SPACE))
    assert {one.key for one in found} == set(map(str, range(OBJECTS)))
    assert all(one.info is not None and one.info.nbytes > 0 for one in found)
    assert len(Brain("listed", store=store).knowledge()) == OBJECTS
    assert scripts(store) - before < 10
    store.close()


def test_one_that_is_signed_with_another_key_is_listed_as_not_verified(url):
    store, other = RedisStore(url, key=KEY), RedisStore(url, key=KEY[::-1])
    store.put(SPACE, "mine", [b"x"])
    other.put(SPACE, "other", [b"x"])
    assert {one.key: one.info is None for one in survey.listed(store, SPACE)} == {
        "mine": False,
        "other": True,
    }
    store.close()
    other.close()
