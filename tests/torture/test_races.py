"""Writers, readers, and those who remove or evict, all after the same names: nothing fresh is lost."""

from __future__ import annotations

import itertools
import random
import sys
import threading
import time
from contextlib import suppress

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore
from tests.stores.fallbacks import FallbackStore
from tests.stores.workers import SIZES, check_pattern, patterned
from tests.torture.children import Child, Flag
from tests.torture.grounds import SpillingStore, ground, objects, spilling_to
from tests.torture.sizes import size

SHARED = "brain/shared"
VALUES = [patterned(length) for length in SIZES]
#: Two spaces, each written by one process only: what that has put is there until it says otherwise.
OWN = ["brain/own-0", "brain/own-1"]
KEYS = ["name-0", "name-1", "name-2"]


def write_own(store, number, lives, enough):
    """Put what is over at once and then what is fresh, under the same names; the fresh has to be there."""
    space, chance, mine = OWN[number], random.Random(number), {}
    for done in itertools.count():
        key, fresh = KEYS[done % 3], chance.choice(VALUES[:3])
        if key in mine:
            assert [bytes(frame) for frame in store.get(space, key)] == mine.pop(key)
        store.put(space, key, VALUES[1], ttl=chance.choice((0, 0, 0.0005)))
        if not saved(store, space, key, fresh, chance.choice(lives)):
            store.put(space, key, fresh, ttl=chance.choice(lives))
        assert [bytes(frame) for frame in store.get(space, key)] == fresh
        if done % 7 == 0:
            assert store.delete(space, key)
        else:
            mine[key] = fresh
        if enough:
            return done
    return None


def saved(store, space, key, fresh, ttl):
    """Put a value that will soon be over, and say whether touching it came in time."""
    store.put(space, key, fresh, ttl=0.0002)
    try:
        store.touch(space, key, ttl)
    except ValueMissing:
        return False
    return True


def write_shared(store, number, lives, enough):
    """Replace what all write; nobody ever finds it missing."""
    chance = random.Random(number)
    for done in itertools.count():
        store.put(SHARED, "name", chance.choice(VALUES), ttl=chance.choice(lives))
        check_pattern(store.get(SHARED, "name"))
        store.touch(SHARED, "name", chance.choice(lives))
        if enough:
            return done
    return None


def read(store, number, lives, enough):
    """Read it all; who comes upon something that is over removes it."""
    for done in itertools.count():
        check_pattern(store.get(SHARED, "name"))
        for space, key in itertools.product(OWN * 10, KEYS):
            with suppress(ValueMissing):
                check_pattern(store.get(space, key))
        if enough:
            return done
    return None


def sweep(store, number, lives, enough):
    """Remove what is over, as fast as can be."""
    for done in itertools.count():
        store.sweep()
        if enough:
            return done
    return None


def press(store, number, lives, enough):
    """Put more than there is room for: something is evicted, or spilled to disk, every few puts."""
    for done in itertools.count():
        store.put("session/pressing", f"name-{done % 1000}", VALUES[2], ttl=3600)
        with suppress(ValueMissing):
            check_pattern(store.get("session/pressing", f"name-{done * 7 % 1000}"))
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
PRESSED = [*PROCESSES[:2], [sweep, read], [press]]


def work(store, number, roles, lives, enough):
    """Do several things in threads; return how often each was done, or raise what went wrong."""
    sys.setswitchinterval(1e-5)  # threads take turns wherever they can, not every 5 ms
    done, wrong = {}, []

    def play(role):
        try:
            done[role.__name__] = role(store, number, lives, enough)
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


def race(store, processes, lives, seconds):
    """Let all processes run until each has done its part more than a few times, whatever the machine."""
    store.put(SHARED, "name", VALUES[0])
    while not all(number > size(4, 20) for number in raced(store, processes, lives, seconds)):
        seconds *= 4
        assert seconds < size(600, 36_000), "a process never gets a turn"
    store.sweep()


def raced(store, processes, lives, seconds):
    """Let all processes run for so long; return how often everything was done."""
    enough = Flag()
    children = [Child(work, store, n, roles, lives, enough) for n, roles in enumerate(processes)]
    end = time.monotonic() + seconds
    while time.monotonic() < end and not enough:  # one that fails raises the flag for all
        time.sleep(0.05)
    enough.up()
    return [number for child in children for number in child.result().values()]


def expected(store, *spaces):
    return {f"{space}/{key}" for space in spaces for key in store.scan(space)}


@pytest.mark.parametrize(
    ("kind", "seconds"), [(FileStore, size(2.0, 1200.0)), (FallbackStore, size(2.0, 800.0))]
)
def test_no_fresh_value_is_lost_to_those_who_remove_what_is_over(tmp_path, kind, seconds):
    with ground(tmp_path) as folder:
        store = kind(folder)
        race(store, PROCESSES, (None, 600), seconds)
        assert objects(store) == expected(store, SHARED, *OWN)


@pytest.mark.parametrize("kind", [FileStore, SpillingStore])
def test_no_value_for_good_is_lost_to_those_who_make_room(tmp_path, kind):
    with ground(tmp_path) as folder, spilling_to(tmp_path):
        store = kind(folder)
        store.resize(3 << 20)
        race(store, PRESSED, (None,), size(2.0, 800.0))
        spaces = (SHARED, *OWN, "session/pressing")
        assert objects(store) == expected(store, *spaces)
        held = [store.info(space, key).nbytes for space in spaces for key in store.scan(space)]
        assert store.usage() <= sum(held)  # less, by what was spilled
