"""Writers that die, and folders that are removed while they are used."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore
from dash_brain.stores.mapped.volume import publish as publishing
from tests.processes import FORKSERVER
from tests.stores.fallbacks import FallbackStore
from tests.stores.places import everything, place, volume_of
from tests.stores.workers import (
    SPACE,
    live_through_removals,
)

OWN_FILES = {"key", "ledger", "locks", "remembered", "brain", "brain/torture"}


def processes(number):
    return ProcessPoolExecutor(number, mp_context=FORKSERVER)


def test_writer_killed_between_link_and_rename_leaves_a_draft_that_the_next_one_removes(files, tmp_path):
    files.put(SPACE, "name", [b"old"])
    code = (
        "import os, signal; from dash_brain.stores import FileStore; "
        "os.rename = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL); "
        f"FileStore({str(tmp_path)!r}).put({SPACE!r}, 'name', [b'lost'])"
    )
    for heal in (files.sweep, lambda: files.put(SPACE, "name", [b"old"])):
        assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
        assert any(path.startswith("brain/torture/.") for path in everything(files))
        assert bytes(files.get(SPACE, "name")[0]) == b"old"
        heal()
        assert everything(files) == OWN_FILES | {"brain/torture/name"}


def test_writer_killed_while_it_replaces_a_name_again_leaves_a_draft_that_goes(files, tmp_path):
    files.put(SPACE, "name", [b"old"])
    code = (
        "import os, signal; from dash_brain.stores import FileStore; "
        f"store = FileStore({str(tmp_path)!r}); store.put({SPACE!r}, 'name', [b'newer']); "
        "os.writev = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL); "
        f"store.put({SPACE!r}, 'name', [b'lost'])"
    )
    for heal in (files.sweep, lambda: files.put(SPACE, "name", [b"newest"])):
        assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
        assert any(path.startswith("brain/torture/.") for path in everything(files))
        assert bytes(files.get(SPACE, "name")[0]) == b"newer"
        heal()
        assert everything(files) == OWN_FILES | {"brain/torture/name"}
    assert bytes(files.get(SPACE, "name")[0]) == b"newest"


def remove_store(store):
    shutil.rmtree(place(store), ignore_errors=True)


def remove_content(store):
    for path in place(store).iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def remove_namespace(store):
    shutil.rmtree(place(store) / "brain" / "torture")


def remove_all_of_user(store):
    shutil.rmtree(place(store).parent)


@pytest.mark.parametrize("remove", [remove_store, remove_content, remove_namespace, remove_all_of_user])
@pytest.mark.parametrize("kind", [FileStore, FallbackStore])
def test_removed_folder_means_misses_then_works_again(tmp_path, remove, kind):
    one, two = kind(tmp_path), kind(tmp_path)
    for first, second in ((one, two), (two, one)):
        first.put(SPACE, "name", [b"old"])
        assert bytes(second.get(SPACE, "name")[0]) == b"old"
        remove(one)
        for store in (first, second):
            with pytest.raises(ValueMissing):
                store.get(SPACE, "name")
            assert list(store.scan(SPACE)) == []
            assert store.delete(SPACE, "name") is False
        second.put(SPACE, "name", [b"new"])
        assert bytes(first.get(SPACE, "name")[0]) == b"new"
        assert first.secret() == second.secret() == kind(tmp_path).secret()


def test_put_into_a_store_that_was_emptied_and_filled_by_others_is_theirs_to_read(tmp_path):
    one, two = FileStore(tmp_path), FileStore(tmp_path)
    one.put(SPACE, "name", [b"old"])
    remove_content(one)
    two.put(SPACE, "other", [b"x"])  # the namespace is there again, under another secret
    one.put(SPACE, "name", [b"new"])
    assert bytes(two.get(SPACE, "name")[0]) == b"new"


def test_lock_taken_in_a_folder_that_was_removed_is_taken_where_the_others_are(tmp_path):
    one, two = FileStore(tmp_path), FileStore(tmp_path)
    one.secret()
    remove_store(one)
    two.secret()
    with one.lock("key"), volume_of(two).hold_if_free("lock:key") as free:
        assert not free


def test_lock_waited_for_while_the_folder_is_removed_is_taken_where_the_others_are(tmp_path):
    holder, waiter, other = (FileStore(tmp_path) for _ in range(3))
    waiter.secret()
    entered = threading.Event()

    def wait():
        with waiter.lock("key"):
            entered.set()

    with holder.lock("key"):
        thread = threading.Thread(target=wait)
        thread.start()
        assert not entered.wait(0.2)
        remove_store(holder)
        block = other.lock("key")
        block.__enter__()
    assert not entered.wait(0.2)
    block.__exit__(None, None, None)
    assert entered.wait(30)
    thread.join()


def test_folder_that_is_removed_while_it_is_opened_is_made_once_more(tmp_path, monkeypatch):
    store, real = FileStore(tmp_path), publishing.has_unnamed_files
    removals = iter([True, True])

    def remove_first(folder):
        if next(removals, False):
            remove_store(store)
        return real(folder)

    monkeypatch.setattr(publishing, "has_unnamed_files", remove_first)
    store.put(SPACE, "name", [b"x"])
    assert bytes(FileStore(tmp_path).get(SPACE, "name")[0]) == b"x"


def test_two_who_make_the_secret_at_once_in_a_folder_being_emptied_find_it_whole(tmp_path, monkeypatch):
    one, two = FileStore(tmp_path), FileStore(tmp_path)
    real_write, real_link, main = os.write, os.link, threading.get_ident()
    begun, finish = threading.Event(), threading.Event()
    other = threading.Thread(target=two.secret)

    def write(file, content):
        if threading.get_ident() != main:  # the other one has made its draft, and not filled it
            begun.set()
            finish.wait(30)
        return real_write(file, content)

    def link(source, name, **folders):
        if name == "key" and not begun.is_set():
            (place(one) / "locks").unlink()  # so both hold the locks that they want
            other.start()
            assert begun.wait(30)
        real_link(source, name, **folders)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "link", link)
    assert len(one.secret()) == 32
    finish.set()
    other.join()
    assert one.secret() == two.secret()
    assert everything(one) == {"key", "ledger", "locks", "remembered"}


def test_running_processes_survive_that_the_folder_is_removed_again_and_again(tmp_path):
    store = FileStore(tmp_path)
    with processes(3) as pool:
        runs = [pool.submit(live_through_removals, partial(FileStore, tmp_path), 4.0) for _ in range(3)]
        while not all(run.done() for run in runs):
            time.sleep(0.02)
            remove_store(store)
        assert sum(run.result() for run in runs) > 0
    live_through_removals(partial(FileStore, tmp_path), 0.1)
    assert bytes(FileStore(tmp_path).secret()) == store.secret()
