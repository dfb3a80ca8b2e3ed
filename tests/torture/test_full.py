"""A store with too little room says so, loses nothing, dies of nothing, and works when there is some."""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from functools import partial

import pytest

from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.stores import FileStore
from tests.needs import needs_root
from tests.stores.workers import check_pattern, patterned
from tests.torture.children import Child, beside
from tests.torture.grounds import SpillingStore, objects, small_ground, spilling_to
from tests.torture.sizes import size

SPACE = "brain/full"
MEGABYTES = 64
#: How often values of so many bytes are put, of 100.
SIZES = {10: 60, 5000: 25, 70_000: 10, 1_500_000: 4, 6_000_000: 1}
VALUES = {length: [patterned(length) for _ in range(4)] for length in SIZES}
#: Far fewer inodes than there are names, or far more.
INODES = {"large values": 100_000, "few inodes": 300}


def fill(store, number, puts):
    """Put values of all sizes, far more than there is room for; return how often there was none."""
    chance, mine, refused = random.Random(number), {}, 0
    for _ in range(puts):
        key = f"{number}-{chance.randrange(400)}"
        frames = chance.choice(VALUES[chance.choices(list(SIZES), list(SIZES.values()))[0]])
        try:
            store.put(SPACE, key, frames)
        except StoreFull:
            refused += 1
            check_value(store, key, mine.get(key))
            make_room(store, mine, chance)
        else:
            mine[key] = frames
    for key, frames in mine.items():
        check_value(store, key, frames)
    return refused


def check_value(store, key, frames):
    """The last value that was put without an error is there: neither an older one, nor half a new one."""
    if frames is None:
        with pytest.raises(ValueMissing):
            store.get(SPACE, key)
    else:
        assert [bytes(frame) for frame in store.get(SPACE, key)] == frames


def make_room(store, mine, chance):
    """Delete a tenth of the names that one has."""
    for key in chance.sample(sorted(mine), len(mine) // 10 + bool(mine)):
        assert store.delete(SPACE, key)
        del mine[key]


def read(store, enough):
    """Read what the others put, and keep some of it mapped."""
    number = 0
    while not enough:
        for key in store.scan(SPACE):
            with suppress(ValueMissing):
                check_pattern(store.get(SPACE, key))
                number += 1
    return number


@pytest.mark.parametrize("kind", [FileStore, SpillingStore])
@pytest.mark.parametrize("inodes", INODES.values(), ids=INODES)
def test_puts_into_a_place_that_is_too_small_are_refused_or_spilled_and_nobody_dies(tmp_path, inodes, kind):
    with small_ground(tmp_path, MEGABYTES, inodes) as folder, spilling_to(tmp_path):
        store = kind(folder)
        store.secret()
        with beside(partial(read, store)) as read_by_others:
            writers = [Child(fill, store, number, size(20_000, 1_000_000) // 8) for number in range(2)]
            refused = [writer.result() for writer in writers]
        assert min(refused) > 10 or (
            kind is SpillingStore and (tmp_path / f"dash_brain-{os.geteuid()}").exists()
        )
        assert read_by_others[0] > 100
        store.sweep()
        assert objects(store) == {f"{SPACE}/{key}" for key in store.scan(SPACE)}


def fill_up(folder):
    """Take all the room that is left, and all inodes."""
    with suppress(OSError), open(folder / "ballast", "wb", buffering=0) as ballast:
        while ballast.write(bytes(1 << 16)):
            pass
    with suppress(OSError):
        for number in range(1000):
            (folder / f"ballast-{number}").touch()


@needs_root
@pytest.mark.parametrize("length", SIZES)
def test_store_works_again_soon_after_room_came_back(tmp_path, length):
    with small_ground(tmp_path, MEGABYTES, 300) as folder:
        store = FileStore(folder)
        store.put(SPACE, "old", patterned(length))
        fill_up(folder)
        for _ in range(10):
            with pytest.raises(StoreFull):
                store.put(SPACE, "new", patterned(length))
        check_pattern(store.get(SPACE, "old"))
        for ballast in folder.glob("ballast*"):
            ballast.unlink()
        since = time.monotonic()
        while True:
            with suppress(StoreFull):
                store.put(SPACE, "new", patterned(length))
                break
            time.sleep(0.01)
        assert time.monotonic() - since < 10  # it looks for room once a second
        check_pattern(store.get(SPACE, "new"))
