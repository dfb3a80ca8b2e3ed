"""However workers are run and replaced: no session ends, no value is lost, nobody waits for the dead."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

from tests.programs import REPOSITORY
from tests.torture.crowds import children_of, meanwhile, together, wait_for
from tests.torture.lives import live, pages_go_on
from tests.torture.pages import BROKEN, Line, Page
from tests.torture.shelves import Shelf
from tests.torture.sizes import size

APP = "tests.torture.served:server"
SESSIONS = 4
RECYCLED = size(5, 500)
GEVENT = ["--worker-class=gevent"]
RELOADS = size(1, 30)


def load(url: str) -> list[Any]:
    """Return what some users do until it is enough."""
    return [lambda enough, mark=f"session {n}": live(url, mark, enough) for n in range(SESSIONS)]


def worker(url: str) -> int:
    """Return the process that answers a request."""
    while True:
        with suppress(*BROKEN, OSError), urlopen(f"{url}/pid", timeout=60) as answer:
            return int(json.load(answer)["pid"])


def test_workers_that_end_after_so_many_requests_are_not_missed(serve, shelf):
    options = ["--preload", "--max-requests=20", "--max-requests-jitter=10"]
    server = serve(APP, workers=3, threads=2, env=shelf.environment(), options=options)
    workers: set[int] = set()
    with meanwhile(load(server.url)) as pages:
        wait_for(
            lambda: workers.add(worker(server.url)) or len(workers) > RECYCLED, "none ends", RECYCLED * 10
        )
    pages_go_on(pages)


def test_a_reload_by_hup_changes_the_workers_and_nothing_else(serve, shelf):
    server = serve(APP, workers=2, threads=2, env=shelf.environment())
    with meanwhile(load(server.url)) as pages:
        for _ in range(RELOADS):
            before = set(children_of(server.process.pid))
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda before=before: not before & set(children_of(server.process.pid)), "none ends", 60)
            assert worker(server.url) not in before
    pages_go_on(pages)


def test_a_worker_that_is_killed_for_its_slowness_is_followed_by_the_next(serve, shelf, tmp_path):
    server = serve(APP, workers=3, env=shelf.environment(), options=["--preload", "--timeout=8"])
    slow, quick = (Page(Line(server.url)).open() for _ in range(2))
    journal = tmp_path / "journal"
    order = {"name": "slow", "scope": "brain", "journal": str(journal)}
    hopeless = Thread(target=asks_in_vain, args=(slow, {**order, "until": str(tmp_path / "never")}))
    hopeless.start()
    wait_for(lambda: journal.exists(), "nobody began")
    time.sleep(5)  # so that the one who waits is not killed for slowness too
    told = quick.fire("made.children", {"name.value": {**order, "until": str(journal)}})
    made = told["made.children"]["made"]
    first, second = journal.read_text().split()
    assert made.split()[0] == second != first
    hopeless.join()
    pages_go_on([slow, quick])


def asks_in_vain(page: Page, order: dict[str, Any]) -> None:
    """Ask for what the worker dies over."""
    body = page.body("made.children", {"name.value": order})
    line = Line(page.line.url)
    with suppress(*BROKEN):
        status, _, _ = line.ask("POST", "/_dash-update-component", lambda: body, Cookie=str(page.cookie))
        assert status == 500


def test_what_is_learned_before_the_fork_is_known_in_every_worker(serve, shelf):
    env = shelf.environment() | {"TORTURE_USE_BEFORE_FORK": "1"}
    server = serve(APP, workers=4, threads=2, env=env, options=["--preload"])
    answered: set[int] = set()
    with meanwhile(load(server.url)) as pages:
        while len(answered) < 4:
            with urlopen(f"{server.url}/before-the-fork", timeout=60) as answer:
                told = json.load(answer)
            assert told["seen"] == ["master", server.process.pid, True]
            answered.add(told["pid"])
    pages_go_on(pages)


@contextmanager
def debug_server(shelf: Shelf, watched: Path) -> Iterator[str]:
    """Run the app as a script with ``debug=True``: Dash's own server, and a reloader around it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    watched.write_text("")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.torture.served"],
        cwd=REPOSITORY,
        env={**os.environ, **shelf.environment(), "PORT": str(port), "TORTURE_WATCHED": str(watched)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_debug_reloader_keeps_sessions_and_values(shelf, tmp_path):
    with debug_server(shelf, tmp_path / "watched") as url:
        before = worker(url)
        page = Page(Line(url, stubborn=True)).open()
        owed = None
        for serial in range(RELOADS):
            assert page.exchange("debug", serial, 400_000, keep=True)["seen"] == owed
            owed = ["debug", serial, True]
            (tmp_path / "watched").write_text(str(serial))
            wait_for(lambda before=before: worker(url) != before, "it does not reload", 60)
            before = worker(url)
            assert page.claim() == []
            assert page.open()
        assert page.exchange("debug", 9, keep=True)["kept"] == ["debug", RELOADS - 1]


def gevent(shelf: Shelf) -> dict[str, str]:
    """Return the environment of gevent workers."""
    return shelf.environment() | {"TORTURE_GEVENT": "1"}


def test_gevent_workers_serve_all_others_while_some_wait_for_a_value(serve, shelf, tmp_path):
    server = serve(APP, workers=2, env=gevent(shelf), options=GEVENT)
    workers = children_of(server.process.pid)
    ready, arrivals = tmp_path / "ready", tmp_path / "arrivals"
    arrivals.touch()
    order = {"scope": "brain", "until": str(ready), "arrivals": str(arrivals)}
    orders = [{**order, "name": name, "journal": str(tmp_path / name)} for name in ("a", "b")]

    def wait_for_the_value(order: dict[str, Any]) -> str:
        page = Page(Line(server.url)).open()
        return str(page.fire("made.children", {"name.value": order})["made.children"]["made"])

    def work_on() -> str:
        wait_for(lambda: len(arrivals.read_text().split()) == 16, "not all were let in", 25)
        answered: set[int] = set()
        while len(answered) < 2:
            page = Page(Line(server.url)).open()
            answered.add(page.exchange("other", 1)["pid"])
        ready.touch()
        return ""

    waiting = [lambda order=order: wait_for_the_value(order) for order in orders * 8]
    *made, _ = together([*waiting, work_on])
    assert [len((tmp_path / name).read_text().split()) for name in "ab"] == [1, 1]
    assert len(set(made)) == 2
    assert children_of(server.process.pid) == workers, "one stood still until gunicorn killed it"


def test_gevent_workers_lose_nothing_under_load(serve, shelf):
    server = serve(APP, workers=2, env=gevent(shelf), options=[*GEVENT, f"--max-requests={size(60, 200)}"])
    workers: set[int] = set()
    with meanwhile(load(server.url)) as pages:
        wait_for(lambda: workers.add(worker(server.url)) or len(workers) > size(2, 3), "none ends", 100)
    pages_go_on(pages)
