"""What a user does while workers come and go: he works on, and minds what he is shown."""

from __future__ import annotations

import random
from threading import Event
from typing import Any

from tests.torture.pages import Line, Page

#: Bytes of the values that are handed over.
SIZES = (0, 60_000, 400_000, 1_500_000)


def live(url: str, mark: str, enough: Event) -> Page:
    """Hand values over until it is enough; every one must come back whole, whoever was killed."""
    page, chance = Page(Line(url, stubborn=True)).open(), random.Random(mark)
    owed: Any = None
    kept: set[int] = set()
    serial = 0
    while not enough.is_set() or serial < 10:
        serial += 1
        told = page.exchange(mark, serial, chance.choice(SIZES), keep=True)
        assert told["seen"] == owed, (mark, serial)
        assert told["kept"] is None or told["kept"][0] == mark
        # The worker may have noted this very serial and then died before it could answer.
        assert (told["kept"] and told["kept"][1] in kept | {serial}) or serial == 1, (mark, serial)
        owed, kept = [mark, serial, True], {serial}
        if chance.random() < 0.3:
            assert page.claim() == []
        if chance.random() < 0.02:
            page.open()
    return page


def pages_go_on(pages: list[Page]) -> None:
    """Fail when a page lost its session or its value."""
    for page in pages:
        assert page.claim() == []
        page.exchange("after", 1)
        assert page.exchange("after", 2)["seen"] == ["after", 1, True]
        assert page.claim() == []
