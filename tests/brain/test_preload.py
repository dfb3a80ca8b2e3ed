"""What an app needs is there before it serves anybody: made once per host, whatever happens to its makers."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dash_brain.brain import Brain
from tests.brain.workers import preload_at_once, preload_for_ever, preload_with_waste
from tests.processes import FORKSERVER


@pytest.fixture
def started():
    """Start processes that do not outlive the test."""
    running = []

    def start(target, *arguments):
        running.append(FORKSERVER.Process(target=target, args=arguments, daemon=True))
        running[-1].start()
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.join()


def test_8_processes_that_start_at_once_make_it_once(tmp_path, started):
    barrier, brain = FORKSERVER.Barrier(8), Brain(path=tmp_path)
    workers = [started(preload_at_once, str(tmp_path), barrier) for _ in range(8)]
    for worker in workers:
        worker.join(60)
    (maker,) = brain["made by"]
    assert [brain[f"seen by {worker.pid}"] for worker in workers] == [maker] * 8


def test_killed_maker_is_followed_by_the_next_worker(tmp_path, started):
    brain = Brain(path=tmp_path)
    workers = {worker.pid: worker for worker in [started(preload_for_ever, str(tmp_path)) for _ in range(3)]}
    begun = brain.wait("begun by", None, timeout=60)
    first = workers.pop(brain["begun by"])
    first.kill()
    brain.wait("begun by", begun, timeout=60)
    assert brain["begun by"] in workers
    brain["go on"] = True
    for worker in workers.values():
        worker.join(60)
    assert {brain[f"seen by {pid}"] for pid in workers} == {brain["begun by"]}


def test_value_that_is_there_is_used(brain):
    brain["name"] = None
    assert brain.preload("name", lambda: pytest.fail("made")) is None


def test_forgotten_value_is_made_anew(brain):
    brain.preload("name", lambda: 1)
    brain.forget("name")
    assert brain.preload("name", lambda: 2) == brain["name"] == 2


def test_maker_that_fails_leaves_nothing_in_the_way(brain):
    def fail():
        raise OSError("no such table")

    with pytest.raises(OSError, match="no such table"):
        brain.preload("name", fail)
    assert brain.preload("name", lambda: "made") == brain["name"] == "made"


def test_maker_too_gets_the_value_that_all_share(tmp_path):
    made = np.zeros(1_000_000)
    given = Brain(path=tmp_path).preload("name", lambda: made)
    assert not np.shares_memory(given, made)
    place = given.__array_interface__["data"][0]
    assert any(start <= place < end and str(tmp_path) in file for start, end, file in mappings())


def test_maker_gives_back_what_making_took(tmp_path, started):
    started(preload_with_waste, str(tmp_path)).join(60)
    assert Brain(path=tmp_path)["grown"] < 16e6


def mappings():
    """Return where each mapping of this process begins and ends, and its file."""
    with open(f"/proc/{os.getpid()}/maps") as lines:
        for line in lines:
            span, *_, file = line.split(maxsplit=5)
            start, end = (int(number, 16) for number in span.split("-"))
            yield start, end, file


def test_value_that_expires_at_once_is_returned_all_the_same(brain):
    assert brain.preload("name", lambda: "made", ttl=0) == "made"
    assert "name" not in brain


def test_each_namespace_has_its_own(brain):
    brain.preload("name", lambda: 1)
    assert brain.view("other").preload("name", lambda: 2) == 2
    assert brain["name"] == 1


def edited(source, **names):
    """Return the function ``load`` of a program, as another start of it would have it."""
    exec(source, names)
    return names["load"]


LOADERS = {
    "body": ("def load(): return 1", "def load(): return 2"),
    "helper": (
        "def read(): return 1\ndef load(): return read()",
        "def read(): return 2\ndef load(): return read()",
    ),
    "default": ("def load(year=1): return year", "def load(year=2): return year"),
    "closure": (
        "def of(year): return lambda: year\nload = of(1)",
        "def of(year): return lambda: year\nload = of(2)",
    ),
    "partial": (
        "import functools\ndef of(year): return year\nload = functools.partial(of, 1)",
        "import functools\ndef of(year): return year\nload = functools.partial(of, 2)",
    ),
}


@pytest.mark.parametrize("edit", LOADERS)
def test_value_follows_its_loader_when_that_is_edited(brain, edit, caplog):
    before, after = LOADERS[edit]
    assert brain.preload("name", edited(before)) == 1
    assert brain.preload("name", edited(before)) == 1
    first = brain.object_id("name")
    assert brain.preload("name", edited(after)) == brain["name"] == 2
    assert brain.object_id("name") != first
    assert not caplog.records


def test_loader_that_stayed_the_same_is_not_called_again(brain):
    brain.preload("name", edited("def load(): return 1"))
    brain.preload("name", edited("# a comment above\ndef load(): return 1"))
    object_id = brain.object_id("name")
    brain.preload("name", edited("def load(): return 1"))
    assert brain.object_id("name") == object_id


def test_readers_keep_the_old_value_until_the_new_one_is_made(tmp_path):
    brain = Brain(path=tmp_path)
    brain.preload("name", lambda: "old")
    assert brain.preload("name", lambda: ("new", brain["name"])) == ("new", "old")


def test_edited_loader_that_fails_leaves_the_old_value(brain):
    def fail():
        raise OSError("no such table")

    brain.preload("name", lambda: "old")
    with pytest.raises(OSError, match="no such table"):
        brain.preload("name", fail)
    assert brain["name"] == "old"


def test_what_was_assigned_is_newer_than_what_a_loader_makes(brain, caplog):
    caplog.set_level("INFO", "dash_brain")
    brain.preload("name", lambda: "loaded")
    brain["name"] = "assigned"
    assert brain.preload("name", lambda: "edited") == brain["name"] == "assigned"
    assert "serves the value of 'name'" in caplog.text
    assert "assigned" in caplog.text


def test_what_is_assigned_while_an_edited_loader_makes_it_anew_stays(tmp_path):
    brain = Brain(path=tmp_path)

    def load():
        brain["name"] = "assigned"
        return "edited"

    brain.preload("name", lambda: "loaded")
    assert brain.preload("name", load) == brain["name"] == "assigned"


def test_log_says_when_nobody_can_tell_whether_a_loader_was_edited(brain, caplog):
    lock = threading.Lock()

    def load():
        with lock:
            return "loaded"

    assert brain.preload("name", load) == "loaded"
    assert not caplog.records
    assert brain.preload("name", load) == "loaded"
    (record,) = caplog.records
    assert "cannot be told" in record.getMessage()
    assert "brain.forget('name')" in record.getMessage()


def test_workers_whose_loaders_differ_do_not_make_it_in_turn(tmp_path, caplog):
    """A value that came after a worker began to ask is served, whoever made it; the log says so."""
    brain, other = Brain(path=tmp_path), Brain(path=tmp_path)
    loading = threading.Event()
    source = "def load(): loading.set(); brain.wait('go on', None); return 'loaded'"
    load = edited(source, loading=loading, brain=other)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(brain.preload, "name", load)
        assert loading.wait(30)
        second = pool.submit(other.preload, "name", lambda: "of another version")
        time.sleep(0.2)  # until it waits; if it came too late, it would find the value made before it asked
        other["go on"] = True
        assert {first.result(60), second.result(60)} == {"loaded"}
    assert "another version" in caplog.text


def test_coroutine_function_is_refused_with_what_to_write(brain):
    async def load():
        return 1

    with pytest.raises(TypeError, match="asyncio"):
        brain.preload("name", load)
