"""What a reader holds never changes, whatever happens to the name and to what other readers hold."""

from __future__ import annotations

import os
import random
import shutil
from collections import deque
from contextlib import suppress
from functools import partial

import pytest

from dash_brain.errors import StoreFull, ValueMissing
from tests.stores.places import place
from tests.torture.children import beside
from tests.torture.grounds import KINDS, ground, unaccounted
from tests.torture.sizes import size

SPACE = "brain/held"
KEYS = [f"name-{number}" for number in range(8)]
#: Read, mapped, mapped with its room reserved.
LENGTHS = (100, 5000, 300_000, 1_200_000)
#: The first frame says which value it is: the second can be compared as a whole.
VALUES = {b"%d" % n: os.urandom(64) * (LENGTHS[n % 4] // 64 + 1) for n in range(16)}


def disturb(store, enough):
    """Replace, delete, let expire, sweep and drop the names, as fast as can be."""
    chance, done = random.Random(1), 0
    while not enough:
        key = chance.choice(KEYS)
        number = chance.choice(list(VALUES))
        with suppress(StoreFull):  # else it replaces or evicts something
            store.put(SPACE, key, [number, VALUES[number]], ttl=chance.choice((None, 60)))
        if done % 10 == 0:
            store.delete(SPACE, key)
        elif done % 10 == 5:
            with suppress(ValueMissing):
                store.touch(SPACE, key, 0)
        if done % 50 == 0:
            store.sweep()
        if done % 500 == 499:
            store.drop(SPACE)
        done += 1
    return done


def assert_unchanged(frames):
    number, body = map(bytes, frames)
    assert body == VALUES[number]


def scribble(frames):
    """Write into what we hold: that is ours alone."""
    body = memoryview(frames[1])
    body[:: max(1, len(body) // 50)] = bytes(len(body[:: max(1, len(body) // 50)]))


@pytest.mark.parametrize("kind", KINDS)
def test_held_views_never_change(tmp_path, kind):
    chance, held, taken = random.Random(2), deque(), 0
    with ground(tmp_path) as folder:
        store = kind(folder)
        store.resize(6 << 20)
        with beside(partial(disturb, store), partial(disturb, store)) as disturbed:
            while taken < size(2_000, 1_000_000) // 2:
                with suppress(ValueMissing):
                    frames = store.get(SPACE, chance.choice(KEYS))
                    assert_unchanged(frames)
                    taken += 1
                    scribble(frames) if taken % 10 == 0 else held.append(frames)
                if len(held) > 60:
                    assert_unchanged(held.popleft())
        assert min(disturbed) > 20
        shutil.rmtree(place(store))
        while held:
            assert_unchanged(held.popleft())
        del frames
        store.close()
        assert unaccounted(store) == 0
