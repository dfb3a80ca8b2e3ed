"""A flipped bit in anything that is unpickled, or says where, is noticed before anything is unpickled."""

from __future__ import annotations

import os
import pickle
import random
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from dash_brain import Brain
from dash_brain.errors import DecodeError
from dash_brain.stores import FileStore
from dash_brain.stores.mapped.volume import objectfile
from tests.stores.places import file_of
from tests.torture.sizes import size

#: A short stream, a long table of buffers, a bit of all, and a stream so long that it is mapped.
VALUES = {
    "small": {"year": 2024, "total": 12.5},
    "many buffers": [np.arange(200) + number for number in range(150)],
    "frame": pd.DataFrame({"n": range(5000), "x": np.linspace(0, 1, 5000), "s": ["text"] * 5000}),
    "long stream": [f"text {number}" for number in range(22_000)],
}
#: The share of all flips that each gets; hashing a long stream takes a while.
SHARES = {"small": 0.3, "many buffers": 0.3, "frame": 0.3, "long stream": 0.1}


@pytest.fixture
def unpickled(monkeypatch):
    """List what is given to pickle."""
    given = []

    def spy(name):
        real = getattr(pickle, name)
        monkeypatch.setattr(pickle, name, lambda *args, **kwargs: given.append(name) or real(*args, **kwargs))

    for name in ("load", "loads", "Unpickler"):
        spy(name)
    return given


@contextmanager
def opened_for_damage(path):
    """Give what flips one bit of a file, and flips it back at the next call."""
    path.chmod(0o600)  # not the store's way: its files are never written again
    found = path.stat()
    file = os.open(path, os.O_RDWR)
    try:
        yield lambda bit: _flip(file, bit, found)
    finally:
        os.close(file)


def _flip(file, bit, found):
    (byte,) = os.pread(file, 1, bit // 8)
    os.pwrite(file, bytes([byte ^ 1 << bit % 8]), bit // 8)
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))  # or it would have expired


def bits_to_flip(raw, flips):
    """Yield bits of header, meta, table and stream: those of the first three, and as many of the stream."""
    head = 8 * objectfile.head_size(raw, len(raw))
    sealed = head + 8 * objectfile._FIELDS.unpack_from(raw)[7]
    chance = random.Random(3)
    for number in range(flips):
        yield number if number < max(head, min(sealed, flips // 2)) else chance.randrange(sealed)


@pytest.mark.parametrize("name", VALUES)
def test_no_flipped_bit_is_accepted_and_none_is_unpickled(tmp_path, unpickled, name):
    store = FileStore(tmp_path)
    brain = Brain(store=store)
    brain["name"] = VALUES[name]
    path = file_of(store)
    raw = path.read_bytes()
    head = 8 * objectfile.head_size(raw, len(raw))
    with opened_for_damage(path) as flip:
        for bit in bits_to_flip(raw, int(size(5_000, 1_000_000) * SHARES[name])):
            flip(bit)
            with pytest.raises(DecodeError):
                brain["name"]
            if bit < head:
                with pytest.raises(DecodeError):
                    store.info("brain/default", "name")
            flip(bit)
    assert unpickled == []
    assert path.read_bytes() == raw
    assert type(brain["name"]) is type(VALUES[name])
    assert unpickled == ["loads"]
