"""What was planted, damaged or moved is refused before anything is handed out."""

from __future__ import annotations

import fcntl
import os
import struct

import pytest

from dash_brain.errors import BrainError, DecodeError, StoreUnavailable, ValueMissing
from dash_brain.stores import FileStore, SharedMemoryStore
from dash_brain.stores.mapped.volume import objectfile
from tests.stores.places import file_of, place

SPACE = "brain/hostile"
FRAMES = [b"stream " * 20, b"buffer" * 30, b"another"]


@pytest.fixture
def store(files):
    files.put(SPACE, "key", FRAMES, ttl=1e6, meta={"type": "bytes"})
    return files


def plant(path, content):
    """Put other bytes in the place of a file, as somebody with our rights could."""
    expiry = path.stat().st_mtime_ns if path.exists() else 0
    path.with_suffix(".new").write_bytes(content)
    os.utime(path.with_suffix(".new"), ns=(0, expiry))
    path.with_suffix(".new").rename(path)


def assert_refused(store, key="key", namespace=SPACE):
    with pytest.raises(DecodeError):
        store.get(namespace, key)


def test_every_truncation_is_noticed(store):
    raw = file_of(store).read_bytes()
    for size in range(len(raw)):
        plant(file_of(store), raw[:size])
        assert_refused(store)
    plant(file_of(store), raw + b"\0")
    assert_refused(store)


@pytest.mark.parametrize("bits", [32, 64])
def test_lengths_beyond_the_file_cost_no_memory(store, bits):
    raw = bytearray(file_of(store).read_bytes())
    fields = list(objectfile._FIELDS.unpack_from(raw))
    for number in (4, 7) if bits == 64 else (5, 6):
        changed = list(fields)
        changed[number] = 2**bits - 1
        objectfile._FIELDS.pack_into(raw, 0, *changed)
        plant(file_of(store), raw)
        assert_refused(store)
        with pytest.raises(DecodeError):
            store.info(SPACE, "key")


def test_lengths_that_fit_a_huge_empty_file_cost_no_memory(store):
    raw = bytearray(file_of(store).read_bytes())
    fields = list(objectfile._FIELDS.unpack_from(raw))
    fields[4], fields[6] = 1 << 40, 2**32 - 1  # bytes of all, number of buffers
    objectfile._FIELDS.pack_into(raw, 0, *fields)
    plant(file_of(store), raw)
    os.truncate(file_of(store), 1 << 40)
    os.utime(file_of(store), ns=(0, 0))
    assert_refused(store)
    with pytest.raises(DecodeError):
        store.info(SPACE, "key")


def test_table_that_a_forger_fitted_to_the_file_is_noticed(store):
    raw = bytearray(file_of(store).read_bytes())
    head = objectfile.head_size(raw, len(raw))
    lengths = struct.unpack_from("<2Q", raw, head - 16)
    struct.pack_into("<2Q", raw, head - 16, lengths[0] - 1, lengths[1])  # the padding hides the difference
    plant(file_of(store), raw)
    assert_refused(store)


def test_long_key_is_sealed_as_well_and_left_out_of_lists_when_it_was_moved(store):
    store.put(SPACE, "a" * 300, [b"x"])
    store.put(SPACE, "b" * 300, [b"x"])
    one, two = sorted(path for path in (place(store) / SPACE).iterdir() if path.name.startswith("%%"))
    plant(one, two.read_bytes())
    assert len([key for key in store.scan(SPACE) if len(key) == 300]) == 1


def test_damaged_object_is_replaced_by_the_next_put_and_removed_by_delete(store):
    plant(file_of(store), b"damaged")
    assert_refused(store)
    store.put(SPACE, "key", [b"new"])
    assert bytes(store.get(SPACE, "key")[0]) == b"new"
    plant(file_of(store), b"damaged")
    store.delete(SPACE, "key")
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key")


def test_files_that_are_not_the_stores_are_left_out_of_lists(store):
    for name in ("README", ".DS_Store", "%zz", "%4F", "a.b"):
        (place(store) / SPACE / name).write_bytes(b"foreign")
        (place(store) / "brain" / name).mkdir()
        (place(store) / name).write_bytes(b"foreign")
    assert list(store.scan(SPACE)) == ["key"]
    assert list(store.namespaces("brain")) == [SPACE]
    store.sweep()


@pytest.mark.parametrize("depth", [0, 1])
def test_link_in_the_place_of_the_folder_is_refused(tmp_path, depth):
    store = FileStore(tmp_path)
    folder = (place(store).parent, place(store))[depth]
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="planted"):
        store.put(SPACE, "key", [b"x"])
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701, 0o777])
@pytest.mark.parametrize("depth", [0, 1])
def test_folder_that_others_can_enter_is_refused(tmp_path, mode, depth):
    store = FileStore(tmp_path)
    store.put(SPACE, "key", [b"x"])
    folder = (place(store).parent, place(store))[depth]
    folder.chmod(mode)
    with pytest.raises(StoreUnavailable, match="open to other users"):
        FileStore(tmp_path).get(SPACE, "key")


def test_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    store.put(SPACE, "key", [b"x"])
    mine = os.geteuid()
    store.close()
    # Not chown, which only root may do: from now on we are somebody else.
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    place(store).parent.mkdir(mode=0o700)
    with pytest.raises(StoreUnavailable, match=f"belongs to user {mine}"):
        store.get(SPACE, "key")


def test_file_in_the_place_of_the_folder_is_refused(tmp_path):
    store = FileStore(tmp_path)
    place(store).parent.write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        store.secret()


def left_by_an_older_release(store, name):
    """Make what a store of an older format looks like; return its folder."""
    older = place(store).with_name(name)
    (older / "brain/default").mkdir(parents=True)
    older.chmod(0o700)
    for part in ("key", "locks", "brain/default/orders"):
        (older / part).write_bytes(b"of another format")
        (older / part).chmod(0o600)
    return older


@pytest.mark.parametrize("name", ["default", "default@2"])
def test_what_an_older_release_left_is_swept_away_when_nobody_uses_it(store, name):
    older = left_by_an_older_release(store, name)
    assert bytes(store.get(SPACE, "key")[0]), "the new release has begun beside it"
    with (older / "locks").open("rb+") as locks:
        fcntl.fcntl(locks, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 77, 1, 0))
        store.sweep()
        assert (older / "brain/default/orders").exists(), "a process of the older release has it open"
    store.sweep()
    assert not older.exists()
    assert bytes(store.get(SPACE, "key")[0])


@pytest.mark.parametrize("name", ["default@99", "other", "default.2", "defaulted"])
def test_what_is_no_older_store_of_that_name_is_left_alone(store, name):
    other = left_by_an_older_release(store, name)
    store.sweep()
    assert (other / "brain/default/orders").exists()


def test_folder_that_is_no_store_is_left_alone(store):
    folder = place(store).with_name("default")
    (folder / "mine").mkdir(parents=True)
    folder.chmod(0o700)
    store.sweep()
    assert (folder / "mine").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("key", b"short"),
        ("ledger", b"short"),
        ("ledger", bytes(20_000)),
        ("remembered", b"short"),
    ],
)
def test_damaged_file_of_the_store_itself_is_a_clear_error(store, name, content):
    (place(store) / name).write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged"):
        FileStore(store.folder).get(SPACE, "key")


def test_no_message_shows_a_value_or_the_secret(store):
    plant(file_of(store), file_of(store).read_bytes()[:-1])
    with pytest.raises(BrainError) as caught:
        store.get(SPACE, "key")
    assert "stream" not in str(caught.value)
    assert store.secret().hex() not in str(caught.value)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "a" * 101, "ä", "a b", "a\n"])
def test_name_of_a_store_has_simple_characters(name):
    with pytest.raises(ValueError):
        SharedMemoryStore(name)
