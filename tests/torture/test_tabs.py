"""Tabs come and go by the dozen; the memory that they held comes back, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.servers import Server
from tests.torture.crowds import children_of, together, wait_for
from tests.torture.pages import Line, Page
from tests.torture.shelves import Shelf
from tests.torture.sizes import size

TABS = size(8, 200)
LARGE = 200 << 20
OWN = size(10 << 20, 5 << 20)
BROWSER_TABS = size(2, 20)
GRACE = 1.0

MB = 1 << 20
SLACK = 1 << 16  # of 200 MB and more


def returns_to(shelf: Shelf, nbytes: int) -> None:
    """Wait until the store takes no more than it took, but for a few pages of what is known of workers."""

    def returned() -> bool:
        shelf.store.sweep()
        return shelf.nbytes() <= nbytes + SLACK

    wait_for(returned, lambda: f"{shelf.nbytes()} bytes instead of {nbytes}")


def nothing_is_mapped(shelf: Shelf, server: Server) -> None:
    """Wait until no worker holds on to memory that has no name any more."""

    def mapped() -> list[str]:
        return shelf.mapped_by(children_of(server.process.pid))

    wait_for(lambda: not mapped(), lambda: f"workers keep values mapped: {mapped()}")


def at_rest(shelf: Shelf, server: Server) -> tuple[Page, int]:
    """Return a page without values, and what the store takes with it."""
    first = Page(Line(server.url)).open()
    first.exchange("warm", 1)
    first.hold("value", None)
    first.claim()
    wait_for(lambda: not shelf.store.sweep() and not shelf.files("session"), "the first value stays")
    return first, shelf.nbytes()


def test_a_value_that_many_tabs_share_takes_its_memory_once_and_goes_with_the_last(serve: Any, shelf: Shelf):
    server = serve("tests.torture.served:server", workers=2, env=shelf.environment(grace=GRACE))
    first, start = at_rest(shelf, server)
    first.fire("shared.data", {"order.value": {"mark": "shared", "serial": 1, "bytes": LARGE}})
    assert first.claim() == []
    tabs = [first]
    for _ in range(TABS - 1):
        tab = Page(Line(server.url), like=first).open()
        tab.hold("shared", first.held["shared"])  # as a cloned tab has it from sessionStorage
        assert tab.claim() == []
        tabs.append(tab)
    together([lambda tab=tab: looked_at(tab) for tab in tabs[:: TABS // 4]])
    assert abs(shelf.nbytes() - start - LARGE) < MB
    for tab in tabs[:-1]:
        tab.close()
    shelf.later(GRACE + 1).sweep()
    looked_at(tabs[-1])
    assert abs(shelf.nbytes() - start - LARGE) < MB
    tabs[-1].close()
    returns_to(shelf, start)
    nothing_is_mapped(shelf, server)


def looked_at(tab: Page) -> None:
    """Fail when the tab does not see the whole shared value."""
    told = tab.fire("told-shared.children", {"shared.data": tab.held["shared"]})
    assert told["told-shared.children"]["seen"] == ["shared", 1, True]


def test_tabs_with_values_of_their_own_give_back_theirs_and_no_others(serve: Any, shelf: Shelf):
    server = serve("tests.torture.served:server", workers=2, env=shelf.environment(grace=GRACE))
    first, start = at_rest(shelf, server)
    tabs, ways = [Page(first.line, like=first).open() for _ in range(TABS)], ("", "-async")
    for number, tab in enumerate(tabs):
        for serial in range(3):  # of which two are replaced
            tab.exchange(f"tab {number}", serial, OWN, way=ways[number % 2])
        assert tab.claim() == []
    # The last four stay: what the others let go is none of theirs.
    for tab in tabs[:-4]:
        tab.close()
    wait_for(lambda: shelf.store.sweep() >= 0 and len(shelf.files("session")) == 4, "not 4 values are left")
    assert abs(shelf.nbytes() - start - 4 * OWN) < MB
    for number, tab in list(enumerate(tabs))[-4:]:
        told = tab.exchange(f"tab {number}", 3, OWN, way=ways[number % 2])
        assert told["seen"] == [f"tab {number}", 2, True]
        tab.close()
    returns_to(shelf, start)
    nothing_is_mapped(shelf, server)


def test_tabs_of_a_browser_give_back_their_memory(
    serve: Any, shelf: Shelf, browser_factory: Callable[[], Any]
):
    from tests.app.test_browser import Tab
    from tests.browsers import leave

    server = serve("tests.app.served:server", workers=2, env=shelf.environment(grace=GRACE))
    browser = browser_factory()
    blank = browser.current_window_handle

    def opened() -> Tab:
        browser.switch_to.new_window("tab")
        tab = Tab(browser, server.url)
        tab.wait("shape", "empty")
        tab.wait_for_text("visits-text")
        return tab

    def all_closed() -> None:
        for handle in [one for one in browser.window_handles if one != blank]:
            browser.switch_to.window(handle)
            leave(browser, blank)
        wait_for(lambda: shelf.store.sweep() >= 0 and not shelf.files("session"), "values stay", seconds=120)
        wait_for(lambda: shelf.store.sweep() >= 0 and not shelf.files("claims"), "claims stay", seconds=120)

    opened()
    all_closed()
    start = shelf.nbytes()
    for _ in range(BROWSER_TABS):
        tab = opened()
        tab.click("make")
        tab.wait("shape", "1250000 1249999")
    assert shelf.nbytes() > start + BROWSER_TABS * 10_000_000
    all_closed()
    returns_to(shelf, start)
