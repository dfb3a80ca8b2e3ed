"""Writers, readers, and those who remove what is over, all after the same names: nothing fresh is lost."""

from __future__ import annotations

import itertools
import random
import sys
import threading
from contextlib import suppress

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore
from tests.stores.fallbacks import FallbackStore
from tests.stores.workers import SIZES, check_pattern, patterned
from tests.torture.children import Child, Flag
from tests.torture.grounds import ground, objects
from tests.torture.sizes import size

SHARED = "brain/shared"
VALUES = [patterned(length) for length in SIZES]
#: Two spaces, each written by one process only: what that has put is there until it says otherwise.
OWN = ["brain/own-0", "session/own-1"]
KEYS = ["name-0", "name-1", "name-2"]


def write_own(store, number, enough):
    """Put what is over at once and then what is fresh, under the same names; the fresh has to be there."""
    space, chance = OWN[number], random.Random(number)
    for done in itertools.count():
        key, fresh = KEYS[done % 3], chance.choice(VALUES[:3])
        store.put(space, key, VALUES[1], ttl=chance.choice((0, 0, 0.0005)))
        if not saved(store, space, key, fresh):
            store.put(space, key, fresh, ttl=chance.choice((None, 600)))
        assert [bytes(frame) for frame in store.get(space, key)] == fresh
        if done % 7 == 0:
            assert store.delete(space, key)
        if enough:
            return done
    return None


def saved(store, space, key, fresh):
    """Put a value that will soon be over, and say whether touching it came in time."""
    store.put(space, key, fresh, ttl=0.0002)
    try:
        store.touch(space, key, 600)
    except ValueMissing:
        return False
    return True


def write_shared(store, number, enough):
    """Replace what all write; nobody ever finds it missing."""
    chance = random.Random(number)
    for done in itertools.count():
        store.put(SHARED, "name", chance.choice(VALUES), ttl=chance.choice((None, 600)))
        check_pattern(store.get(SHARED, "name"))
        store.touch(SHARED, "name", chance.choice((None, 600)))
        if enough:
            return done
    return None


def read(store, number, enough):
    """Read it all; who comes upon something that is over removes it."""
    for done in itertools.count():
        check_pattern(store.get(SHARED, "name"))
        for space, key in itertools.product(OWN * 10, KEYS):
            with suppress(ValueMissing):
                check_pattern(store.get(space, key))
        if enough:
            return done
    return None


def sweep(store, number, enough):
    """Remove what is over, as fast as can be."""
    for done in itertools.count():
        store.sweep()
        if enough:
            return done
    return None


#: What each process does in its threads. Whoever removes values for a new reason gets a line here.
PROCESSES = [
    [write_own, write_shared],
    [write_own, read],
    [sweep, write_shared, read],
    [sweep, read],
]


def work(store, number, roles, enough):
    """Do several things in threads; return how often each was done, or raise what went wrong."""
    sys.setswitchinterval(1e-5)  # threads take turns wherever they can, not every 5 ms
    done, wrong = {}, []

    def play(role):
        try:
            done[role.__name__] = role(store, number, enough)
        except BaseException as error:
            wrong.append(error)
            enough.up()

    threads = [threading.Thread(target=play, args=(role,)) for role in roles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return done


@pytest.mark.parametrize(
    ("kind", "seconds"), [(FileStore, size(9.0, 2400.0)), (FallbackStore, size(6.0, 1200.0))]
)
def test_no_fresh_value_is_lost_to_those_who_remove_what_is_over(tmp_path, kind, seconds):
    with ground(tmp_path) as folder:
        store, enough = kind(folder), Flag()
        store.put(SHARED, "name", VALUES[0])
        children = [Child(work, store, n, roles, enough) for n, roles in enumerate(PROCESSES)]
        threading.Event().wait(seconds)
        enough.up()
        for child in children:
            assert min(child.result().values()) > 20
        store.sweep()
        assert objects(store) == {f"{space}/{key}" for space in (SHARED, *OWN) for key in store.scan(space)}
