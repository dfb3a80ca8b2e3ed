"""A thousand sessions at once, over many workers: each gets what is its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.torture.crowds import together
from tests.torture.pages import Line, Page
from tests.torture.sizes import size

WORKERS = 16
SESSIONS = 1000
CALLERS = 20
VALUES = size(20_000, 1_000_000)

#: Whose ten sessions are, by browser: users of one browser share its cookie.
HOARDER = "hoarder"
BROWSERS = [[None], [None, "ann", "bob"], [None], [None, "ann", HOARDER], [None], [None]]

#: Every eighth call also looks at what the session keeps by name.
KEEP = 8
#: Every tenth time the page says what it holds, and lets go of all that it held before.
CLAIM = 10
#: Every fifth time a hoarder looks what is left.
LOOK = 5
#: One session in so many is closed when it may be.
LEAVES = 5
GRACE = 2.0
QUOTA = 300_000


class Session:
    """A page that knows what it is owed."""

    def __init__(self, mark: str, page: Page, folder: Path) -> None:
        self.mark = mark
        self.page = page.open()
        self.browser = [self]
        self.folder = folder
        self.made = 0  # values that were made for it alone
        self.workers: set[int] = set()
        self.common: dict[int, str] = {}
        self._begin()

    def _begin(self) -> None:
        self.owed: dict[str, Any] = {}
        self.own: dict[int, str] = {}
        self.kept: Any = None

    def exchange(self, serial: int, way: str = "") -> None:
        """Hand a value over, and judge what came back."""
        keep = self.kept is None or serial % KEEP == 0
        told = self.page.exchange(self.mark, serial, way=way, keep=keep)
        self.workers.add(told["pid"])
        assert told["seen"] == self.owed.get(way), (self.mark, serial)
        self.owed[way] = [self.mark, serial, True]
        if keep:
            assert told["kept"] == self.kept, (self.mark, serial)
            self.kept = [self.mark, serial]

    def exchange_async(self, serial: int) -> None:
        """Do the same in a coroutine, which runs in a thread of its own."""
        self.exchange(serial, "-async")

    def ask_for_own(self, serial: int) -> None:
        """Ask for what is memoized for the session, under a name that all sessions use."""
        name = serial // len(STEPS)
        made = self._memoized("own", self.mark, name)
        self.made += name not in self.own
        assert self.own.setdefault(name, made) == made, (self.mark, serial)

    def ask_for_common(self, serial: int) -> None:
        """Ask for what is memoized for all."""
        name = serial // len(STEPS)
        made = self._memoized("common", "everybody", name)
        assert self.common.setdefault(name, made) == made, (self.mark, serial)

    def _memoized(self, store: str, mark: str, name: int) -> str:
        order = {"serial": name, "journal": str(self.folder / store)}
        told = self.page.fire(f"{store}.data told-{store}.children", {f"{store}-name.value": order})
        *whose, made = told[f"told-{store}.children"]
        assert whose == [mark, name], self.mark
        assert self.page.shown([self.page.held[store]]) == [[mark, name, True]], self.mark
        return str(made)

    def perhaps_leave(self, serial: int) -> None:
        """Close the session, and with it those of the other users of the browser."""
        if random.randrange(LEAVES):
            return
        before = self.page.session
        self.page.leave()
        after = self.page.session
        for session in self.browser:
            session.left(before, after)

    def left(self, *cookies: str | None) -> None:
        """Make sure that nothing of the closed session is seen with any of these cookies, and begin anew."""
        held = [name for name in self.page.held if name != "common"]
        tokens = [self.page.held.pop(name) for name in held]
        for cookie in cookies:
            self.page.session = cookie
            assert self.page.shown(tokens) == ["BadToken"] * len(tokens), self.mark
        self.page.dropped = tokens
        self._begin()

    def step(self, serial: int) -> None:
        """Do what comes next."""
        STEPS[serial % len(STEPS)](self, serial)
        if serial % CLAIM == CLAIM - 1:
            assert self.page.claim() == [], (self.mark, serial)


_HALF = [
    Session.exchange_async,
    *[Session.exchange] * 2,
    Session.ask_for_own,
    Session.ask_for_common,
    Session.exchange_async,
    *[Session.exchange] * 3,
]
#: What a session does in turns. It may leave between two times that it asks for one name.
STEPS: list[Callable[[Session, int], None]] = [*_HALF, Session.perhaps_leave, *_HALF, Session.exchange]


class Hoarder(Session):
    """One who wants to keep more than there is room for: what goes is his own, and he is told."""

    def step(self, serial: int) -> None:
        """Store one more value, if there is room for it, and perhaps look what is left."""
        nbytes = random.choice([QUOTA // 3, QUOTA // 3, 2 * QUOTA])
        order = {"mark": self.mark, "serial": serial, "bytes": nbytes}
        told = self.page.fire("hoard.data told-hoard.children", {"order-hoard.value": order})
        assert told["told-hoard.children"] == ("kept" if nbytes < QUOTA else "StoreFull"), self.mark
        if nbytes < QUOTA:
            self.page.held[str(serial)] = self.page.held.pop("hoard")
        if serial % LOOK == LOOK - 1:
            self.look()

    def look(self) -> None:
        """See what is left: the newest in any case, and no more than there is room for."""
        newest = list(self.page.held)[-1:]
        names, tokens = list(self.page.held), list(self.page.held.values())
        for name, seen in zip(names, self.page.shown(tokens), strict=True):
            if seen == "ValueMissing":
                self.page.hold(name, None)
            else:
                assert seen == [self.mark, int(name), True]
        assert newest == list(self.page.held)[-1:]
        assert len(self.page.held) <= 3
        assert self.page.claim() == []


def sessions_of(users: list[str | None], mark: str, line: Line, folder: Path) -> list[Session]:
    """Return the sessions of one browser, whose users share its cookie."""
    sessions: list[Session] = []
    for user in users:
        page = Page(line, like=sessions[0].page if sessions else None, user=user)
        sessions.append((Hoarder if user == HOARDER else Session)(f"{mark}-{user}", page, folder))
    for session in sessions:
        session.browser = sessions
    return sessions


def caller(url: str, number: int, folder: Path) -> list[Session]:
    """Let some of the sessions hand over all of their values, and return them."""
    with closing(Line(url)) as one, closing(Line(url)) as another:
        sessions = [
            session
            for turn in range(SESSIONS // CALLERS // sum(map(len, BROWSERS)))
            for place, users in enumerate(BROWSERS)
            for session in sessions_of(users, f"{number}-{turn}-{place}", one, folder)
        ]
        for serial in range(VALUES // SESSIONS):
            for session in random.sample(sessions, len(sessions)):
                session.page.line = random.choice([one, another])
                session.step(serial)
    return sessions


def test_no_session_is_ever_handed_a_value_of_another(serve, shelf, tmp_path):
    env = shelf.environment(grace=GRACE, session_quota=QUOTA)
    target = "tests.torture.served:with_users()"
    server = serve(target, workers=WORKERS, threads=2, env=env, options=["--preload"])
    crowd = together(
        [lambda number=number: caller(server.url, number, tmp_path) for number in range(CALLERS)]
    )
    sessions = [session for some in crowd for session in some]
    assert len({session.page.cookie for session in sessions}) == SESSIONS
    common = {made for session in sessions for made in session.common.items()}
    assert len(common) == lines_in(tmp_path / "common") == VALUES // SESSIONS // len(STEPS)
    assert sum(session.made for session in sessions) == lines_in(tmp_path / "own")
    workers = {pid for session in sessions for pid in session.workers}
    assert len(workers) >= WORKERS // 2
    assert "Traceback" not in server.log


def lines_in(journal: Path) -> int:
    """Return how often something was made, by a line for each time."""
    return len(journal.read_text().splitlines())
