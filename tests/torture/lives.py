"""What a user does while workers come and go: he works on, and minds what he is shown."""

from __future__ import annotations

import os
import random
from threading import Event
from typing import Any

from tests.torture.pages import Line, Page

#: Bytes of the values that are handed over.
SIZES = (0, 60_000, 400_000, 1_500_000)


def live(url: str, mark: str, enough: Event) -> Page:
    """Hand values over until it is enough; every one must come back whole, whoever was killed."""
    life = Life(url, mark)
    while not enough.is_set() or life.serial < 10:
        life.go_on()
    return life.page


class Life:
    """One page, and what its user expects of it."""

    def __init__(self, url: str, mark: str) -> None:
        self.page = Page(Line(url, stubborn=True)).open()
        self.mark = mark
        self.chance = random.Random(mark)
        self.serial = 0
        self._begin()

    def _begin(self) -> None:
        self.owed: Any = None
        self.kept: Any = None
        self.own: dict[int, str] = {}

    def go_on(self) -> None:
        """Hand one value over, and perhaps do something else."""
        self.exchange()
        rest = {self.claim: 0.3, self.ask_for_own: 0.1, self.page.open: 0.02, self.leave: 0.02}
        for act, share in rest.items():
            if self.chance.random() < share:
                act()

    def exchange(self) -> None:
        """Hand a value over, and look at what the session keeps by name."""
        self.serial += 1
        told = self.page.exchange(self.mark, self.serial, self.chance.choice(SIZES), keep=True)
        assert told["seen"] == self.owed, (self.mark, self.serial)
        # The worker may have noted this very serial and then died before it could answer.
        assert told["kept"] in (self.kept, [self.mark, self.serial]), (self.mark, self.serial)
        self.owed, self.kept = [self.mark, self.serial, True], [self.mark, self.serial]

    def claim(self) -> None:
        """Say what the page holds, all of which is there."""
        assert self.page.claim() == []

    def ask_for_own(self) -> None:
        """Ask for what is memoized for the session: the same each time, whoever died over it."""
        name = self.chance.randrange(3)
        order = {"own-name.value": {"serial": name, "journal": os.devnull}}
        *whose, made = self.page.fire("own.data told-own.children", order)["told-own.children"]
        assert whose == [self.mark, name]
        assert self.own.setdefault(name, made) == made

    def leave(self) -> None:
        """Close the session, and see nothing of it again."""
        before, tokens = self.page.session, list(self.page.held.values())
        for store in list(self.page.held):
            self.page.hold(store, None)
        self.page.leave()
        for cookie in (before, self.page.session):
            self.page.session = cookie
            assert self.page.shown(tokens) == ["BadToken"] * len(tokens), self.mark
        self._begin()


def pages_go_on(pages: list[Page]) -> None:
    """Fail when a page lost its session or its value."""
    for page in pages:
        assert page.claim() == []
        page.exchange("after", 1)
        assert page.exchange("after", 2)["seen"] == ["after", 1, True]
        assert page.claim() == []
