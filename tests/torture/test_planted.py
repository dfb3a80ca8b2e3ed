"""What lies where the store did not put it is refused: by the store, or by the kernel on its behalf."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import stat
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from dash_brain.errors import DecodeError, StoreError, StoreUnavailable
from dash_brain.stores import FileStore
from dash_brain.stores.mapped.volume.folder import FORMAT
from dash_brain.stores.mapped.volume.paths import path_of
from tests.needs import needs_root
from tests.stores.places import place
from tests.torture.children import Child

SPACES = ("brain/one", "brain/two", "session/one", "session/" + "long " * 60)
KEYS = ("one", "two", "long " * 60)
#: The name of the default store's folder.
STORE = f"default@{FORMAT}"

ROOT = os.geteuid() == 0
#: Who the store belongs to, and who would like to have it.
OWNER, STRANGER = 65533, 65534


@contextmanager
def within(seconds):
    """Fail, instead of waiting for ever, when what is planted keeps us waiting."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("kept waiting"))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


# --- genuine objects in another's place ---


@pytest.fixture
def objects(tmp_path):
    """All objects of two stores, each with a value of its own: store, namespace, key, and file."""
    stores = [FileStore(tmp_path, "one"), FileStore(tmp_path, "two")]
    found = []
    for number, (store, space, key) in enumerate(itertools.product(stores, SPACES, KEYS)):
        store.put(space, key, [b"%d" % number, b"buffer" * 30])
        found.append((store, space, key, place(store) / path_of(space, key)))
    return found


def refuse(store, space, key):
    for ask in (store.get, store.info):
        with pytest.raises(DecodeError):
            ask(space, key)


@pytest.mark.parametrize("way", [shutil.copy2, os.link, os.symlink])
def test_object_copied_or_linked_to_another_name_namespace_or_store_is_refused(objects, tmp_path, way):
    for (_, _, _, source), (store, space, key, target) in itertools.permutations(objects, 2):
        target.rename(tmp_path / "aside")
        way(source, target)
        refuse(store, space, key)
        (tmp_path / "aside").rename(target)


def test_two_objects_that_swapped_their_places_are_refused(objects, tmp_path):
    for one, other in itertools.combinations(objects, 2):
        for _ in range(2):  # there and back
            one[3].rename(tmp_path / "aside")
            other[3].rename(one[3])
            (tmp_path / "aside").rename(other[3])
            with suppress(DecodeError):
                values = [bytes(store.get(space, key)[0]) for store, space, key, _ in (one, other)]
                assert values == [b"%d" % objects.index(one), b"%d" % objects.index(other)]
                continue
            refuse(*one[:3])
            refuse(*other[:3])


def test_namespaces_that_swapped_their_folders_are_refused(objects, tmp_path):
    folders = [(store, space, path.parent) for store, space, key, path in objects if key == "one"]
    for (one, space, folder), (other, other_space, other_folder) in itertools.combinations(folders, 2):
        folder.rename(tmp_path / "aside")
        other_folder.rename(folder)
        (tmp_path / "aside").rename(other_folder)
        for key in KEYS:
            refuse(one, space, key)
            refuse(other, other_space, key)
        folder.rename(tmp_path / "aside")
        other_folder.rename(folder)
        (tmp_path / "aside").rename(other_folder)


# --- what is no object at all ---


def make_empty(path):
    path.touch()
    os.utime(path, (0, 0))  # else it would have expired, and be removed


def bind(path):
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(path.parent)  # the name of a socket is short
        bound.bind(path.name)


KINDS_OF_FILES = {
    "link to the object": lambda path: path.symlink_to(path.parent / "aside"),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "pipe": os.mkfifo,
    "folder": lambda path: path.mkdir(),
    "socket": bind,
    "empty file": make_empty,
    **({"device": lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))} if ROOT else {}),
}


@pytest.fixture(params=KINDS_OF_FILES)
def plant(request, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # and back
    return KINDS_OF_FILES[request.param]


def test_anything_else_in_the_place_of_an_object_is_refused(tmp_path, plant):
    store = FileStore(tmp_path)
    store.put("brain/one", "key", [b"x"])
    path = place(store) / "brain/one/key"
    path.rename(path.parent / "aside")
    plant(path)
    with within(10):
        refuse(store, "brain/one", "key")
        with suppress(StoreError):  # or it takes the place of what was planted
            store.put("brain/one", "key", [b"new"])
            assert bytes(store.get("brain/one", "key")[0]) == b"new"
        store.usage()
        store.sweep()
    assert bytes((path.parent / "aside").read_bytes())  # nobody wrote through a link


@pytest.mark.parametrize("name", ["key", "locks"])
def test_anything_else_in_the_place_of_the_stores_own_files_is_refused(tmp_path, plant, name):
    FileStore(tmp_path).put("brain/one", "key", [b"x"])
    path = place(FileStore(tmp_path)) / name
    path.rename(path.parent / "aside")
    plant(path)
    with within(10), suppress(StoreError):
        FileStore(tmp_path).put("brain/one", "key", [b"y"])
        # An empty file of locks is as good as another.
        assert name == "locks"
        assert stat.S_ISREG(path.lstat().st_mode)


# --- other users, for real ---


def become(user):
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def as_user(user, umask, work):
    """Return what ``work`` returns in a process of that user, who made these files what he wants."""

    def work_as_user():
        become(user)
        os.umask(umask)
        return work()

    return Child(work_as_user).result(30)


@pytest.fixture
def public(tmp_path):
    """A folder that is everybody's, as /dev/shm is."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    public = tmp_path / "public"
    public.mkdir()
    public.chmod(0o1777)
    return public


def put(folder):
    FileStore(folder).put("brain/one", "key", [b"secret"])


def plant_folder(outer, mode):
    outer.mkdir()
    outer.chmod(mode)


def plant_link_to_own(outer, _):
    plant_folder(outer.parent / "strangers", 0o777)
    outer.symlink_to(outer.parent / "strangers")


def plant_link_to_theirs(outer, _):
    outer.symlink_to(outer.parent / "owners")


def plant_file(outer, mode):
    outer.touch(mode)


@needs_root
@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
@pytest.mark.parametrize("planted", [plant_folder, plant_link_to_own, plant_link_to_theirs, plant_file])
@pytest.mark.parametrize("mode", [0o700, 0o777])
def test_place_that_another_user_has_taken_before_is_refused(public, umask, planted, mode):
    outer = public / f"dash_brain-{OWNER}"
    as_user(OWNER, 0, partial(plant_folder, public / "owners", 0o700))
    as_user(STRANGER, 0, partial(planted, outer, mode))

    def refused():
        with pytest.raises(StoreUnavailable, match="planted"):
            put(public)

    as_user(OWNER, umask, refused)
    assert [path for path in public.rglob("*") if path.is_file() and path != outer] == []


def attack(folder):
    """Try everything that an unprivileged user can: to look, read, link, replace, remove, and put into it."""
    for path in (folder, folder / STORE, folder / STORE / "brain/one"):
        for attempt in (
            lambda path: os.listdir(path),
            lambda path: (path / "new").mkdir(),
            lambda path: (path / "new").touch(),
            lambda path: os.open(path, os.O_TMPFILE | os.O_RDWR),
            lambda path: path.chmod(0o777),
            lambda path: path.rename(path.with_name("mine")),
            lambda path: path.rmdir(),
        ):
            with pytest.raises(PermissionError):
                attempt(path)
    for name in ("key", "locks", "brain/one/key"):
        for attempt in (
            lambda path: path.read_bytes(),
            lambda path: path.unlink(),
            lambda path: os.link(path, folder.parent / "mine"),
            lambda path: os.stat(path),
        ):
            with pytest.raises(PermissionError):
                attempt(folder / STORE / name)


@needs_root
@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_other_user_gets_nothing_into_or_out_of_a_store(public, umask):
    as_user(OWNER, umask, partial(put, public))
    as_user(STRANGER, 0, partial(attack, public / f"dash_brain-{OWNER}"))

    def check():
        assert bytes(FileStore(public).get("brain/one", "key")[0]) == b"secret"

    as_user(OWNER, umask, check)


@needs_root
def test_folder_given_to_another_user_is_refused_even_when_it_was_ours(public):
    as_user(OWNER, 0o022, partial(put, public))
    outer = public / f"dash_brain-{OWNER}"
    for path in (outer, outer / STORE):
        os.chown(path, STRANGER, STRANGER)
        path.chmod(0o755 if path == outer else 0o777)

        def refused():
            with pytest.raises(StoreUnavailable, match=f"belongs to user {STRANGER}"):
                put(public)

        as_user(OWNER, 0o022, refused)
        os.chown(path, OWNER, OWNER)
        path.chmod(0o700)
    as_user(OWNER, 0o022, partial(put, public))
