"""Workers and readers are killed at random moments; nobody but the request at hand may notice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dash_brain.brain import Brain
from dash_brain.stores.namespaces import OF_CLIENTS
from dash_brain.web.component_registry import ENTRY_TTL
from dash_brain.web.leases import UNCLAIMED
from tests.programs import REPOSITORY
from tests.torture.crowds import kill_a_child_of, meanwhile
from tests.torture.lives import SIZES, live, pages_go_on
from tests.torture.marks import marked
from tests.torture.pages import Page
from tests.torture.readers import NAME
from tests.torture.shelves import OWN_FILES, Shelf
from tests.torture.sizes import size

DEATHS = size(10, 1000)
SESSIONS = 8
GRACE = 2.0


@contextmanager
def readers(shelf: Shelf) -> Iterator[subprocess.Popen[bytes]]:
    """Let two processes read the shared value while the block runs."""
    command = [sys.executable, "-m", "tests.torture.readers", "2"]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env={**os.environ, **shelf.environment()}, start_new_session=True
    )
    try:
        yield process
        assert process.poll() is None, "a reader read what nobody wrote"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_nothing_is_torn_lost_or_left_behind_when_workers_and_readers_are_killed(serve, shelf):
    chance, brain = random.Random(os.getpid()), Brain(store=shelf.store)
    brain[NAME] = marked(NAME, 0, 1_000_000)
    server = serve(
        "tests.torture.served:server",
        workers=4,
        threads=2,
        env=shelf.environment(grace=GRACE),
        options=["--preload"],
    )
    load = [lambda enough, mark=f"session {n}": live(server.url, mark, enough) for n in range(SESSIONS)]
    with readers(shelf) as reading, meanwhile(load) as pages:
        deaths = 0
        while deaths < DEATHS:
            time.sleep(chance.uniform(0.02, 0.2))
            brain[NAME] = marked(NAME, deaths, chance.choice(SIZES))
            prey = reading.pid if chance.random() < 0.2 else server.process.pid
            deaths += kill_a_child_of(prey, chance)
            shelf.store.sweep()  # under everybody's feet
    pages_go_on(pages)
    nothing_is_left(shelf, pages)


def nothing_is_left(shelf: Shelf, pages: list[Page]) -> None:
    """Fail when a sweep leaves more than what is held, and then more than nothing."""
    shelf.later(UNCLAIMED + 1).sweep()
    assert len(shelf.files("session")) == len(pages)
    for page in pages:
        page.close()
    shelf.later(UNCLAIMED + 1).sweep()
    assert shelf.files("session") == shelf.files("claims") == set()
    Brain(store=shelf.store).clear()
    shelf.later(ENTRY_TTL + 1).sweep()
    assert shelf.files() == OWN_FILES
    assert {path.name for path in shelf.folder.iterdir() if path.is_dir()} <= {
        *OF_CLIENTS,
        ".accounts",
        "workers",
        "brain",
        "session-registry",
        "closed",
        "registry",
    }
