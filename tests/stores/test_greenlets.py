"""Under gevent no wait for another process stops the other greenlets of a worker."""

from __future__ import annotations

import subprocess
import sys

import pytest

WAITING = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent, gevent.event
from dash_brain.stores import FileStore
from tests.stores.fallbacks import FallbackStore

store = globals()[sys.argv[1]](sys.argv[2])
turns = []

def wait():
    with store.lock("key"):
        print("locked", flush=True)

def work():
    while True:
        turns.append(store.put("brain/a", "b", [b"x"]))
        gevent.sleep(0.01)
        if len(turns) == 20:
            print("worked", flush=True)

worker = gevent.spawn(work)
gevent.spawn(wait).join()
worker.kill()
"""

# Each process holds one lock and waits for that of the other, which another greenlet there would free.
CROSSED = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent, gevent.event
from dash_brain.stores import FileStore
from tests.stores.fallbacks import FallbackStore

store, mine, other = globals()[sys.argv[1]](sys.argv[2]), sys.argv[3], sys.argv[4]

def hold():
    with store.lock(mine):
        print("holds", flush=True)
        while not free.is_set():
            gevent.sleep(0.01)

free = gevent.event.Event()
holder = gevent.spawn(hold)
gevent.sleep(0)
sys.stdin.readline()
waiter = gevent.spawn(lambda: store.lock(other).__enter__())
gevent.spawn_later(0.3, free.set)
gevent.joinall([holder, waiter], raise_error=True)
print("both", flush=True)
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def store_of(kind, folder):
    from dash_brain.stores import FileStore
    from tests.stores.fallbacks import FallbackStore

    return {"FileStore": FileStore, "FallbackStore": FallbackStore}[kind](folder)


@pytest.mark.parametrize("kind", ["FileStore", "FallbackStore"])
def test_greenlets_work_on_while_one_waits_for_another_process(tmp_path, kind):
    store = store_of(kind, tmp_path)
    with store.lock("key"):
        process = start(WAITING, kind, tmp_path)
        try:
            assert process.stdout.readline() == "worked\n"
        except BaseException:
            process.kill()
            raise
    assert process.communicate(timeout=60)[0] == "locked\n"
    assert process.returncode == 0


@pytest.mark.parametrize("kind", ["FileStore", "FallbackStore"])
def test_processes_whose_greenlets_wait_for_each_other_do_not_lock_up(tmp_path, kind):
    store_of(kind, tmp_path).secret()
    both = [start(CROSSED, kind, tmp_path, *locks) for locks in (("a", "b"), ("b", "a"))]
    try:
        for process in both:
            assert process.stdout.readline() == "holds\n"
        for process in both:
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in both:
            assert process.stdout.readline() == "both\n"
            process.communicate(timeout=60)
    finally:
        for process in both:
            process.kill()
            process.wait()
