"""A thousand sessions at once, over many workers: each gets what is its own."""

from __future__ import annotations

import random
from typing import Any

from tests.torture.crowds import together
from tests.torture.pages import Line, Page
from tests.torture.sizes import size

WORKERS = 16
SESSIONS = 1000
CALLERS = 20
VALUES = size(20_000, 1_000_000)

#: Every fifth value goes through a coroutine, which runs in a thread of its own.
ASYNC = 5
#: Every eighth call also looks at what the session keeps by name.
KEEP = 8
#: Every tenth time the page says what it holds, and lets go of all that it held before.
CLAIM = 10
GRACE = 2.0


class Session:
    """A page that knows what it is owed."""

    def __init__(self, mark: str, line: Line) -> None:
        self.mark = mark
        self.page = Page(line).open()
        self.owed: dict[str, Any] = {}
        self.kept: Any = None

    def exchange(self, serial: int) -> int:
        """Hand a value over, judge what came back, and return the worker that answered."""
        way = "-async" if serial % ASYNC == 0 else ""
        keep = serial % KEEP == 0
        told = self.page.exchange(self.mark, serial, way=way, keep=keep)
        assert told["seen"] == self.owed.get(way), (self.mark, serial)
        self.owed[way] = [self.mark, serial, True]
        if keep:
            assert told["kept"] == self.kept, (self.mark, serial)
            self.kept = [self.mark, serial]
        if serial % CLAIM == CLAIM - 1:
            assert self.page.claim() == [], (self.mark, serial)
        return told["pid"]


def caller(url: str, number: int) -> tuple[set[str], set[int]]:
    """Let some of the sessions hand over all of their values; return their cookies and who answered."""
    lines = [Line(url), Line(url)]
    sessions = [Session(f"{number}-{i}", lines[0]) for i in range(SESSIONS // CALLERS)]
    workers = set()
    for serial in range(VALUES // SESSIONS):
        for session in random.sample(sessions, len(sessions)):
            session.page.line = random.choice(lines)
            workers.add(session.exchange(serial))
    return {str(session.page.cookie) for session in sessions}, workers


def test_no_session_is_ever_handed_a_value_of_another(serve, shelf):
    env = shelf.environment(grace=GRACE)
    server = serve("tests.torture.served:server", workers=WORKERS, threads=2, env=env, options=["--preload"])
    results = together([lambda number=number: caller(server.url, number) for number in range(CALLERS)])
    assert len(set.union(*(cookies for cookies, _ in results))) == SESSIONS
    assert len(set.union(*(workers for _, workers in results))) >= WORKERS // 2
    assert "Traceback" not in server.log
