"""Users who log in one after the other in one browser: what each keeps in its storage stays his, unseen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.test_browser import Tab
from tests.browsers import forget_everything
from tests.servers import Server


@pytest.fixture(scope="module")
def served(serve_for_module: Any) -> Server:
    return serve_for_module("tests.app.shared_browser:server", workers=2)


class Shared(Tab):
    """A page of the app, in which users log in and out."""

    def open(self, url: str, user: str) -> None:
        self.driver.get(f"{url}/login/{user}" if user != "nobody" else f"{url}/logout")
        self.driver.get(url)
        self.wait("user", user)

    def switch(self, user: str) -> None:
        """Let another user log in elsewhere, while this page stays open."""
        path = f"/login/{user}" if user != "nobody" else "/logout"
        self.driver.execute_async_script(
            f"fetch('{path}').then(() => {{window.dispatchEvent(new Event('online')); arguments[0]()}})"
        )

    def shows(self, local: str, session: str) -> None:
        self.wait("local-text", local)
        self.wait("session-text", session)


@pytest.fixture
def page(served: Server, browser_for_module: Any) -> Shared:
    forget_everything(browser_for_module)
    page = Shared(browser_for_module, f"{served.url}/logout")
    page.driver.execute_script("localStorage.clear(); sessionStorage.clear()")
    page.open(served.url, "nobody")
    page.shows("empty", "empty")
    page.driver.get_log("browser")
    return page


def make(page: Shared, user: str) -> None:
    page.click("make")
    page.shows(f"{user} local", f"{user} session")
    page.wait("memory-text", f"{user} memory")


def test_each_user_finds_his_own_again_and_nobody_elses(page: Shared, served: Server) -> None:
    for user in ("ann", "bob"):
        page.open(served.url, user)
        page.shows("empty", "empty")
        make(page, user)
    page.open(served.url, "nobody")
    page.shows("empty", "empty")
    for user in ("ann", "bob", "ann"):
        page.open(served.url, user)
        page.shows(f"{user} local", f"{user} session")
        page.wait("memory-text", "empty")
    page.assert_clean()


def test_what_nobody_keeps_is_not_lost_when_somebody_logs_in(page: Shared, served: Server) -> None:
    make(page, "None")
    page.open(served.url, "ann")
    page.shows("empty", "empty")
    page.open(served.url, "nobody")
    page.shows("None local", "None session")


def test_open_page_follows_who_logs_in(page: Shared, served: Server) -> None:
    page.open(served.url, "ann")
    make(page, "ann")
    page.switch("bob")
    page.shows("empty", "empty")
    page.wait("memory-text", "empty")
    make(page, "bob")
    page.switch("ann")
    page.shows("ann local", "ann session")
    page.switch("nobody")
    page.shows("empty", "empty")
    page.switch("bob")
    page.shows("bob local", "bob session")
    page.assert_clean()
