"""An app that is used all day holds no more in the evening than in the morning.

``make soak`` also writes what it measured to ``build/endurance.csv``; :mod:`tests.torture.draw` draws it.
"""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path
from threading import Event
from typing import Any

from tests.programs import REPOSITORY
from tests.servers import Server
from tests.torture.crowds import children_of, meanwhile, wait_for
from tests.torture.lives import SIZES
from tests.torture.pages import Line, Page, as_callback
from tests.torture.shelves import Shelf, descriptors_of, maps_of, resident_of, threads_of
from tests.torture.sizes import SOAK, size

LAPS = size(1, 60)
SECONDS = size(2, 60)
USERS = 5
GRACE = 1.0
SESSION_TTL = 60.0
QUOTA = 20_000_000

#: A thread has a stack with a guard, which are two mappings. Dash runs coroutines in threads that come and
#: go; and the allocator takes and gives back an arena now and then.
OF_A_THREAD = 2
SPARE_MAPPINGS = 24
SPARE_THREADS = 40

COLUMNS = ["seconds", "requests", "worker", "descriptors", "threads", "mappings"]
COLUMNS += ["resident_bytes", "store_bytes", "store_files"]
TABLE = REPOSITORY / "build" / "endurance.csv"


class User:
    """Somebody who does a bit of everything, in one tab after the other."""

    def __init__(self, url: str, number: int, home: Path) -> None:
        self.chance = random.Random(number)
        self.mark = f"user {number}"
        self.home = home
        self.stays = Page(Line(url)).open()  # a page that is open all day
        self.requests = 0
        self.recall_in_tabs()

    def work(self, enough: Event) -> int:
        """Work until it is enough, then close all tabs but the one that stays."""
        while not enough.is_set():
            like, user = self.chance.choice([(None, None), (self.stays, None), (self.stays, "ann")])
            tab = Page(Line(self.stays.line.url), like=like, user=user).open()
            ways = [self.hand_over, self.hand_over, self.compute, self.recall, self.hoard, self.lie]
            for _ in range(self.chance.randint(1, 12)):
                self.chance.choice(ways)(tab)
                self.requests += 1
            tab.close() if like else tab.leave()
            self.hand_over(self.stays)
            self.stays.claim()
            tab.line.close()
        self.recall_in_tabs()  # now by all, though chance had some do it before
        self.recall(self.stays)
        for way in ("", "-async"):  # of a known size, for the comparison
            self.stays.exchange(self.mark, 0, 100_000, way=way)
        assert self.stays.claim() == []
        self.stays.line.close()
        return self.requests

    def recall_in_tabs(self) -> None:
        """Ask for what is memoized for both users of the browser.

        The value stays for an hour after a page has claimed it; the record of the call for two minutes.
        """
        for user in (None, "ann"):
            tab = Page(Line(self.stays.line.url), like=self.stays, user=user).open()
            self.recall(tab)
            tab.close()
            tab.line.close()

    def hand_over(self, page: Page) -> None:
        """Replace a value by the next, in a plain callback or in a coroutine."""
        way, serial = self.chance.choice(["", "", "-async"]), self.chance.randrange(10**6)
        told = page.exchange(
            self.mark, serial, self.chance.choice(SIZES), way=way, keep=page is not self.stays
        )
        assert told["seen"] is None or (told["seen"][0], told["seen"][2]) == (self.mark, True)
        if self.chance.random() < 0.5:
            assert page.claim() == []

    def compute(self, page: Page) -> None:
        """Ask for a value that may have to be made."""
        name = f"name {self.chance.randrange(3)}"
        order = {"name": name, "scope": "session", "journal": "/dev/null", "until": "/dev/null"}
        assert page.fire("made.children", {"name.value": order})["made.children"]["made"]

    def recall(self, page: Page) -> None:
        """Ask for what is memoized for the session, and for all."""
        page.exchange(self.mark, 0, keep=True)
        order = {"serial": 0, "journal": "/dev/null"}
        for store, whose in (("own", self.mark), ("common", "everybody")):
            told = page.fire(f"{store}.data told-{store}.children", {f"{store}-name.value": order})
            assert told[f"told-{store}.children"][:2] == [whose, 0]

    def hoard(self, page: Page) -> None:
        """Store more than a session may."""
        order = {"mark": self.mark, "serial": 0, "bytes": 2 * QUOTA}
        told = page.fire("hoard.data told-hoard.children", {"order-hoard.value": order})
        assert told["told-hoard.children"] == "StoreFull"

    def lie(self, page: Page) -> None:
        """Send a token and a claim that are none."""
        for path, body in (
            ("/_dash-update-component", page.body("told-shared.children", {"shared.data": "db1.forged"})),
            ("/_dash-update-component", as_callback('{"held": 5}')),
        ):
            headers = {"Cookie": str(page.cookie), "X-Dash-Brain": "claim"}
            assert page.line.ask("POST", path, lambda body=body: body, **headers)[0] in (400, 500)


def lap(users: list[User], shelf: Shelf) -> int:
    """Let all work for a while, then rest; return the requests that were made so far."""
    with meanwhile([user.work for user in users]) as requests:
        time.sleep(SECONDS)
    time.sleep(0.5)  # in which the workers notice who has hung up
    # What was let go is over, and so are the sessions that were left; what is held is not.
    shelf.later(SESSION_TTL + GRACE + 1).sweep()
    return sum(requests)


def table(server: Server, shelf: Shelf, seconds: float, requests: int) -> list[dict[str, Any]]:
    """Return what each worker and the store hold now."""
    workers = sorted(children_of(server.process.pid))
    store = {"store_bytes": shelf.nbytes(), "store_files": len(shelf.files())}
    return [
        {
            "seconds": round(seconds, 1),
            "requests": requests,
            "worker": number,
            "descriptors": descriptors_of(pid),
            "threads": threads_of(pid),
            "mappings": len(maps_of(pid)) - OF_A_THREAD * threads_of(pid),
            "resident_bytes": resident_of(pid),
            **store,
        }
        for number, pid in enumerate(workers)
    ]


def excess(rows: list[dict[str, Any]], first: list[dict[str, Any]]) -> list[str]:
    """Return what is more than it was in the first table, if anything is."""
    found = []
    for row, begin in zip(rows, first, strict=True):
        allowed = {
            "descriptors": begin["descriptors"],
            "threads": begin["threads"] + SPARE_THREADS,
            "mappings": begin["mappings"] + SPARE_MAPPINGS,
            "store_bytes": begin["store_bytes"] * 1.01,
            "store_files": begin["store_files"],
        }
        found += [f"{name} of {row} after {begin}" for name, most in allowed.items() if row[name] > most]
    return found


def write(rows: list[dict[str, Any]]) -> None:
    """Write what a soak measured to where the drawing finds it."""
    TABLE.parent.mkdir(exist_ok=True)
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_descriptors_mappings_and_bytes_stay_as_they_are_however_long_it_runs(serve, shelf, tmp_path):
    env = shelf.environment(grace=GRACE, session_ttl=SESSION_TTL, session_quota=QUOTA)
    env |= {"MALLOC_ARENA_MAX": "1", "TORTURE_USERS": "1"}
    server = serve("tests.torture.served:server", workers=3, threads=2, env=env, options=["--preload"])
    users = [User(server.url, number, tmp_path) for number in range(USERS)]
    lap(users, shelf)  # in which all that is loaded late is loaded
    begin = time.monotonic()
    rows = first = table(server, shelf, 0, 0)
    files = shelf.files()
    for _ in range(LAPS):
        requests = lap(users, shelf)
        now: list[dict[str, Any]] = []

        def is_flat(now: list[dict[str, Any]] = now, requests: int = requests) -> bool:
            now[:] = table(server, shelf, time.monotonic() - begin, requests)
            return not excess(now, first)

        wait_for(is_flat, lambda now=now: (excess(now, first), shelf.files() - files))
        rows = rows + now
        if SOAK:
            write(rows)
    assert shelf.mapped_by(children_of(server.process.pid)) == []
