"""Sessions are closed amid the requests of their own tabs: nothing of them is seen after that."""

from __future__ import annotations

import random
import time
from threading import Event
from typing import Any

from dash_brain.web.leases import UNCLAIMED
from tests.torture.crowds import meanwhile
from tests.torture.lives import live, pages_go_on
from tests.torture.pages import Line, Page
from tests.torture.sizes import size

ROUNDS = size(5, 2_000)
TABS = 4
NEIGHBOURS = 3


class Tab:
    """A tab that stores values and looks at them, also when the session was closed elsewhere."""

    def __init__(self, first: Page, mark: str) -> None:
        self.page = Page(Line(first.line.url), like=first).open()
        self.mark = mark
        self.tokens: list[str] = []
        self.refused = 0

    def work(self, closed: Event, enough: Event) -> int:
        """Work until it is enough; return how often something was refused since the session was closed."""
        while not (enough.is_set() and self.refused):
            was_closed = closed.is_set()  # before the request begins, so that it must be refused
            self.store(was_closed)
            self.look(was_closed)
            self.refused += was_closed
        return self.refused

    def store(self, was_closed: bool) -> None:
        """Store one more value, if there is a session."""
        order = {"mark": self.mark, "serial": len(self.tokens), "bytes": 50_000}
        told = self.page.fire("hoard.data told-hoard.children", {"order-hoard.value": order})
        if told["told-hoard.children"] == "kept":
            assert not was_closed
            self.tokens.append(self.page.held.pop("hoard"))
        else:
            assert told["told-hoard.children"] == "NoSession"

    def look(self, was_closed: bool) -> None:
        """Look at some of what was stored, the newest first."""
        tokens = list(enumerate(self.tokens))[:-10:-1]
        for (serial, _), seen in zip(tokens, self.page.shown([token for _, token in tokens]), strict=True):
            if was_closed:
                assert seen == "BadToken"
            else:
                # While it is being closed, values go before the cookie does.
                assert seen in ([self.mark, serial, True], "ValueMissing", "BadToken")


def close_amid(url: str, number: int) -> None:
    """Close a session at some moment of the work of its tabs."""
    closed = Event()
    first = Page(Line(url)).open()
    tabs = [Tab(first, f"tab {number}-{place}") for place in range(TABS)]
    with meanwhile([lambda enough, tab=tab: tab.work(closed, enough) for tab in tabs]) as refused:
        time.sleep(random.uniform(0, 0.2))
        first.leave()
        closed.set()
    assert min(refused) > 0
    assert all(first.shown(tab.tokens) == ["BadToken"] * len(tab.tokens) for tab in tabs)


def test_nothing_is_seen_of_a_session_that_was_closed_amid_its_own_requests(serve: Any, shelf: Any) -> None:
    server = serve(
        "tests.torture.served:server", workers=4, threads=2, env=shelf.environment(), options=["--preload"]
    )
    load = [lambda enough, mark=f"neighbour {n}": live(server.url, mark, enough) for n in range(NEIGHBOURS)]
    with meanwhile(load) as neighbours:
        for number in range(ROUNDS):
            close_amid(server.url, number)
    pages_go_on(neighbours)
    shelf.later(UNCLAIMED + 1).sweep()  # what came after all else was removed is nobody's
    assert len(shelf.files("session")) == NEIGHBOURS
