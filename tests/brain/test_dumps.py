"""A dump is a folder that can be copied; nothing is learned from one that is not authentic."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import threading
import time

import numpy as np
import pandas as pd
import pytest

from dash_brain import codec
from dash_brain.brain import Brain
from dash_brain.errors import (
    BrainNameTypeError,
    DecodeError,
    StoreFull,
    StoreUnavailable,
    ValueMissing,
)
from dash_brain.stores import FileStore, MemoryStore
from tests.brain.workers import dump_for_ever
from tests.processes import FORKSERVER

KEY = secrets.token_urlsafe()
NAMES = ["", "a/b", "..", "\0", "ä" * 300, "\ud800", "A", "key", "manifest", "a" * 10_000]


@pytest.fixture
def other():
    return Brain(store=MemoryStore())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "dumped" / "here"


def test_what_was_dumped_is_loaded_into_another_store(brain, other, folder):
    frame = pd.DataFrame({"x": np.arange(100_000.0), "text": "a"})
    brain["frame"] = frame
    brain.learn("limits", (1, 2), "low and high")
    assert brain.dump(folder) == other.load(folder) == ["frame", "limits"]
    pd.testing.assert_frame_equal(other["frame"], frame)
    assert other["limits"] == (1, 2)
    assert other.metadata("limits")["description"] == "low and high"
    assert other.metadata("limits")["type"] == brain.metadata("limits")["type"]


def test_loaded_values_lie_in_files_too(tmp_path, other, folder):
    other["array"] = np.arange(100_000)
    other.dump(folder)
    brain = Brain(store=FileStore(tmp_path))
    brain.load(str(folder))
    assert (brain["array"] == np.arange(100_000)).all()


def test_names_are_any_strings(brain, other, folder):
    brain.learn_many({name: name for name in NAMES})
    brain.dump(folder)
    other.load(folder)
    assert dict(other) == {name: name for name in NAMES}


def test_names_that_were_given_are_dumped_alone(brain, other, folder):
    brain.learn_many({"a": 1, "b": 2, "c": 3})
    assert brain.dump(folder, names=iter(["c", "a"])) == ["c", "a"]
    other.load(folder)
    assert other == {"a": 1, "c": 3}
    assert brain.dump(folder, "b") == ["b"]


def test_dump_is_of_one_namespace_and_loads_into_any(brain, other, folder):
    brain["a"] = 1
    brain.view("second")["b"] = 2
    brain.view("second").dump(folder)
    other["a"] = "kept"
    other.view("third").load(folder)
    assert other == {"a": "kept"}
    assert other.view("third") == {"b": 2}


def test_dump_of_nothing_loads_nothing(brain, other, folder):
    assert brain.dump(folder) == other.load(folder) == []


def test_dump_replaces_an_older_one_whole(brain, other, folder):
    brain["a"] = 1
    brain.dump(folder)
    brain.clear()
    brain["b"] = 2
    brain.dump(folder)
    assert other.load(folder) == ["b"]
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize(
    ("names", "error"), [(["a", "missing"], ValueMissing), (["a", 5], BrainNameTypeError), (["a"], StoreFull)]
)
def test_dump_that_fails_leaves_the_older_one(brain, other, folder, names, error, monkeypatch):
    brain["a"] = 1
    brain.dump(folder)
    brain["a"] = 2

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "full")

    if error is StoreFull:
        monkeypatch.setattr(os, "rename", full)
    with pytest.raises(error):
        brain.dump(folder, names)
    assert other.load(folder) == ["a"]
    assert other["a"] == 1
    assert len(list(folder.glob("*.value"))) == 1


def test_killed_dump_leaves_the_older_one_and_the_next_one_tidies_up(tmp_path, other, folder):
    brain = Brain(path=tmp_path / "store")
    brain["a"] = 1
    brain.dump(folder)
    brain["a"] = 2
    begun = FORKSERVER.Event()
    dumper = FORKSERVER.Process(target=dump_for_ever, args=(tmp_path / "store", folder, begun))
    dumper.start()
    assert begun.wait(30)
    loader = threading.Thread(target=other.load, args=(folder,))
    loader.start()
    loader.join(0.2)
    assert loader.is_alive()  # it waits for the dump that is being written
    dumper.kill()
    loader.join(30)
    assert other["a"] == 1
    dumper.join()
    assert len(list(folder.glob("*.value"))) == 2
    brain.dump(folder)
    assert len(list(folder.glob("*.value"))) == 1


def test_ttl_goes_on_in_a_dump(brain, other, folder, monkeypatch):
    brain.learn("long", 1, ttl=1000)
    brain.learn("short", 1, ttl=100)
    brain.dump(folder)
    begun = time.time()
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: begun + 500)
        assert other.load(folder) == ["long"]
    assert other.metadata("long")["expires"] == pytest.approx(begun + 1000, abs=600)


def files_of(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_damaged_bit_is_noticed_and_nothing_is_learned(brain, other, folder, monkeypatch):
    brain["a"] = {"x": 1}
    brain["b"] = np.arange(500)
    brain.dump(folder)
    monkeypatch.setattr(codec, "decode", lambda _: pytest.fail("decoded what was not authentic"))
    for name in files_of(folder):
        raw = (folder / name).read_bytes()
        for byte in range(0, len(raw), max(1, len(raw) // 50)):
            damaged = bytearray(raw)
            damaged[byte] ^= 1
            (folder / name).write_bytes(damaged)
            with pytest.raises(DecodeError):
                other.load(folder)
        (folder / name).write_bytes(raw)
    assert not other
    other.load(folder)


@pytest.mark.parametrize("size", [-1, 1])
def test_file_of_another_length_is_noticed(brain, other, folder, size):
    brain["a"] = 1
    brain.dump(folder)
    (file,) = (path for path in folder.iterdir() if path.suffix == ".value")
    raw = file.read_bytes()
    file.write_bytes(raw + b"x" if size > 0 else raw[:-1])
    with pytest.raises(DecodeError):
        other.load(folder)
    file.unlink()
    with pytest.raises(DecodeError):
        other.load(folder)
    assert not other


@pytest.mark.parametrize(
    ("name", "mode"), [("", 0o777), ("", 0o720), ("key", 0o644), ("key", 0o640), ("key", 0o602)]
)
def test_folder_that_others_can_change_is_not_loaded(brain, other, folder, name, mode):
    brain["a"] = 1
    brain.dump(folder)
    (folder / name).chmod(mode)
    with pytest.raises(StoreUnavailable, match="another user"):
        other.load(folder)


def test_folder_that_others_can_change_takes_no_dump_without_a_key(brain, other, folder):
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    brain["a"] = 1
    with pytest.raises(StoreUnavailable, match="another user"):
        brain.dump(folder)
    assert files_of(folder) == []
    brain.dump(folder, key=KEY)
    assert other.load(folder, key=KEY) == ["a"]


def test_folder_that_others_can_only_read_shows_them_nothing(brain, other, folder):
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    brain["a"] = 1
    brain.dump(folder)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert other.load(folder) == ["a"]


def test_folder_of_another_user_is_not_loaded(brain, other, folder, monkeypatch):
    brain.dump(folder)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(StoreUnavailable, match="another user"):
        other.load(folder)


def test_dump_with_a_key_loads_with_that_key_alone(brain, other, folder):
    brain["a"] = 1
    brain.dump(folder)
    with pytest.raises(DecodeError):
        other.load(folder, key=KEY)
    brain.dump(folder, key=KEY)
    assert "key" not in files_of(folder)
    with pytest.raises(StoreUnavailable, match=r"Brain\(NAMESPACE\)\.load\(FOLDER, key="):
        other.load(folder)
    with pytest.raises(DecodeError):
        other.load(folder, key=KEY[::-1])
    assert not other
    assert other.load(folder, key=KEY.encode()) == ["a"]


def test_key_that_can_be_guessed_is_refused(brain, folder):
    with pytest.raises(ValueError, match="key="):
        brain.dump(folder, key="short")


def test_copied_folder_is_a_dump_too(brain, other, folder, tmp_path):
    brain["a"] = 1
    brain.dump(folder)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copy)
    os.chmod(tmp_path / "copy", 0o755)
    shutil.rmtree(folder)
    assert other.load(tmp_path / "copy") == ["a"]


@pytest.mark.parametrize("make", [lambda path: None, os.makedirs])
def test_where_no_dump_is_none_can_be_loaded(other, folder, make):
    make(folder)
    with pytest.raises(StoreUnavailable, match=f"^There is no dump in {folder}"):
        other.load(folder)


def test_folder_that_cannot_be_made_is_not_said_to_lack_a_dump(brain):
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        brain.dump("/proc/dump")


def test_links_and_pipes_in_a_shared_folder_are_not_followed(brain, other, folder):
    brain["a"] = 1
    brain.dump(folder, key=KEY)
    (file,) = (path for path in folder.iterdir() if path.suffix == ".value")
    file.rename(folder / "moved")
    file.symlink_to(folder / "moved")
    with pytest.raises(StoreUnavailable):
        other.load(folder, key=KEY)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(StoreUnavailable):
        other.load(folder, key=KEY)


def test_store_that_cannot_take_it_says_so(brain, other, folder, monkeypatch):
    brain["a"] = 1
    brain.dump(folder)

    def full(*_, **__):
        raise StoreFull("no room")

    monkeypatch.setattr(MemoryStore, "put", full)
    with pytest.raises(StoreFull, match="no room"):
        other.load(folder)


def test_value_that_is_replaced_while_it_is_dumped_is_one_or_the_other(brain, other, folder, monkeypatch):
    brain.learn("a", "old", "old")
    get = type(brain._store).get

    def get_and_replace(store, namespace, key):
        monkeypatch.undo()
        brain.learn("a", "new", "new")
        return get(store, namespace, key)

    monkeypatch.setattr(type(brain._store), "get", get_and_replace)
    brain.dump(folder)
    other.load(folder)
    assert (other["a"], other.metadata("a")["description"]) == ("new", "new")
