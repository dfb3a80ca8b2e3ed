"""Processes are killed at random moments: what they were at is whole or absent, and nobody else notices."""

from __future__ import annotations

import itertools
import random
import time
from contextlib import suppress
from functools import partial

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.testing import Clock
from tests.stores.workers import check_pattern, patterned
from tests.torture.children import Child, Flag, beside
from tests.torture.grounds import KINDS, ground, objects, stale_locks, unaccounted
from tests.torture.sizes import size

SPACE = "brain/killed"
LARGE = [patterned(8 << 20) for _ in range(3)]
SMALL = [patterned(length) for length in (10, 5000, 300_000)]
MINE = ("mine-0", "mine-1", "mine-2")


def put_for_ever(store, victim, begun):
    """Replace a name that all write, and one that only this one writes."""
    for number in itertools.count():
        store.put(SPACE, "shared", LARGE[number % 3])
        begun.up()
        store.put(SPACE, f"of-{victim}", LARGE[(number + 1) % 3])


def get_for_ever(store, victim, begun):
    """Read as fast as can be, each time a minute later: so that every read locks the name to note its use."""
    clock = Clock(time.time())
    late = type(store)(store.folder, clock=clock)
    store.put(SPACE, f"of-{victim}", SMALL[2])
    for key in itertools.cycle(("shared", *MINE, *[f"of-{victim}"] * 20)):
        clock.advance(60)
        check_pattern(late.get(SPACE, key))
        begun.up()


def live(store, enough):
    """Write and read undisturbed: names of our own, one that all write, and one that expires at once."""
    number = 0
    while not enough:
        key, frames = MINE[number % 3], SMALL[number % 3]
        object_id = store.put(SPACE, key, frames)
        assert store.info(SPACE, key).object_id == object_id
        assert [bytes(frame) for frame in store.get(SPACE, key)] == frames
        store.put(SPACE, "shared", frames)
        check_pattern(store.get(SPACE, "shared"))
        store.put(SPACE, "expired", frames, ttl=0)
        store.delete(SPACE, "expired")
        number += 1
    return number


def deaths(number, work, store):
    """Start children one after the other and kill each a random moment after it has begun."""
    chance = random.Random(7)
    for victim in range(number):
        begun = Flag()
        child = Child(work, store, victim, begun)
        child.wait_for(begun)
        time.sleep(chance.uniform(0, 0.02))
        child.kill()
        check_pattern(store.get(SPACE, "shared"))
        yield victim


def check_what_is_left(store, *besides):
    """There is what the living have put, whole, and not a byte besides."""
    assert objects(store) == {f"{SPACE}/{key}" for key in ("shared", *MINE, *besides)}
    for key in store.scan(SPACE):
        check_pattern(store.get(SPACE, key))
    assert unaccounted(store) == 0
    store.sweep()  # the living have ended since the last one
    assert not stale_locks(store)
    assert store.usage() == sum(store.info(SPACE, key).nbytes for key in store.scan(SPACE))


@pytest.mark.parametrize("kind", KINDS)
def test_killed_writers_leave_nothing_torn_nothing_behind_and_nobody_disturbed(tmp_path, kind):
    with ground(tmp_path) as folder:
        store = kind(folder)
        with beside(partial(live, store)) as rounds:
            for victim in deaths(size(20, 10_000) // 2, put_for_ever, store):
                with suppress(ValueMissing):
                    check_pattern(store.get(SPACE, f"of-{victim}"))
                store.delete(SPACE, f"of-{victim}")
            store.sweep()
        assert rounds[0] > 10
        check_what_is_left(store)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_readers_leave_nothing_behind_and_nobody_disturbed(tmp_path, kind):
    with ground(tmp_path) as folder:
        store = kind(folder)
        for key in ("shared", *MINE):
            store.put(SPACE, key, SMALL[2])
        with beside(partial(live, store)) as rounds:
            read = [f"of-{victim}" for victim in deaths(size(10, 1000) // 2, get_for_ever, store)]
            store.sweep()
        assert rounds[0] > 10
        check_what_is_left(store, *read)
