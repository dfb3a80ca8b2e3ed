"""A URL names a store."""

from __future__ import annotations

import os
import pickle

import pytest

from dash_brain.errors import BrainError, StoreURLError
from dash_brain.stores import FileStore, MemoryStore, SharedMemoryStore, open_store, register_store
from tests.stores.test_mapped_files import in_child


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        (None, SharedMemoryStore, "default"),
        ("shm://", SharedMemoryStore, "default"),
        ("shm://Orders-2", SharedMemoryStore, "Orders-2"),
        ("file:///some/folder", FileStore, "default"),
        ("file:///with%20space", FileStore, "default"),
        ("file://localhost/some/folder", FileStore, "default"),
    ],
)
def test_url_names_a_store(url, kind, name):
    store = open_store(url)
    assert type(store) is kind
    assert store.name == name


def test_folder_is_the_path_of_the_url():
    assert open_store("file:///with%20space/and%23").folder == "/with space/and#"


def test_same_url_gives_the_same_store_and_another_another():
    assert open_store("memory://a") is open_store("memory://a")
    assert open_store("memory://a") is not open_store("memory://b")
    assert open_store(None) is open_store("shm://")
    assert type(open_store("memory://")) is MemoryStore


def test_store_is_returned_as_it_is():
    store = MemoryStore()
    assert open_store(store) is store


@pytest.mark.parametrize(
    "url",
    [
        *("", "shm", "shm:name", "http://x", "file://host/folder", "file:relative", "file://", "shm://a/b"),
        *("shm://..", "shm://a%20b", "memory://a?x=1", "shm://?size=2GiB&x=1", "shm://a#b"),
        *("shm://?size=", "shm://?size=0", "file:///x?size=2 apples", "memory://?size=-1", "shm://?size=1e9"),
        *("://", "shm://[", 5, b"shm://"),
    ],
)
def test_other_urls_are_refused_with_what_is_allowed(url):
    with pytest.raises(
        StoreURLError, match=r"shm://\[name\], file:///folder, or memory://\[name\]"
    ) as caught:
        open_store(url)
    assert isinstance(caught.value, BrainError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("url", ["unknown://secret-word", "grpc+tls2.x://secret-word", "NFS4://secret-word"])
def test_unknown_scheme_is_named_with_what_would_add_it_and_nothing_else_is_shown(url):
    with pytest.raises(StoreURLError, match=r"register_store\(\)") as caught:
        open_store(url)
    assert str(caught.value).startswith(url.partition(":")[0])
    assert "secret-word" not in str(caught.value)


def test_what_is_wrong_with_a_url_is_said_by_the_store_that_was_registered():
    def no_port(url):
        raise ValueError("the port is missing.")

    register_store("queue", no_port)
    with pytest.raises(StoreURLError) as caught:
        open_store("queue://secret-word")
    assert str(caught.value) == "queue:…: the port is missing."


def test_what_is_wrong_with_the_url_of_a_redis_is_said_without_its_password():
    with pytest.raises(StoreURLError, match="unknown parameter colour") as caught:
        open_store("redis://user:secret-word@host/0?colour=red")
    assert "secret-word" not in str(caught.value)


def test_parameters_are_refused_by_name():
    with pytest.raises(StoreURLError, match="unknown parameter colour"):
        open_store("shm://?size=2GiB&colour=red")


@pytest.mark.parametrize(
    ("size", "nbytes"),
    [("2GiB", 2 << 30), ("500MB", 500_000_000), ("1.5%20KiB", 1536), ("1048576", 1 << 20), ("7b", 7)],
)
def test_size_is_the_budget(tmp_path, size, nbytes):
    assert open_store(f"memory://{size}?size={size}").budget() == nbytes
    assert open_store(f"file://{tmp_path}?size={size}").budget() == nbytes


def test_child_opens_stores_as_well():
    open_store("memory://before-fork")
    assert in_child(lambda: open_store("memory://in-child") is open_store("memory://in-child"))
    assert os.getpid()


def test_errors_travel_between_processes():
    error = StoreURLError("what and why")
    assert str(pickle.loads(pickle.dumps(error))) == "what and why"
