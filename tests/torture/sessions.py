"""Sessions that know what they are owed, and the steps that they take."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.torture.pages import Line, Page

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
#: So many values are memoized for each session, and for all.
NAMES = 10
QUOTA = 500_000


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
        name = serial // len(STEPS) % NAMES
        made = self._memoized("own", self.mark, name)
        self.made += name not in self.own
        assert self.own.setdefault(name, made) == made, (self.mark, serial)

    def ask_for_common(self, serial: int) -> None:
        """Ask for what is memoized for all."""
        name = serial // len(STEPS) % NAMES
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
