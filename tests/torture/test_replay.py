"""Every token of every session is shown in every other one, held, dropped and left there.

Some sessions are those of one browser, whose users share its cookie.
"""

from __future__ import annotations

import pytest

from dash_brain.settings import current
from dash_brain.web.exchange import to_token
from tests.torture.marks import marked
from tests.torture.pages import Page
from tests.torture.served import server, with_users
from tests.torture.shelves import Shelf
from tests.torture.sizes import size
from tests.torture.trial import failures, page_of, unpickled, visit_of

#: Each shows its token to each: the square of this is the number of replays.
SESSIONS = size(30, 317)
#: Who logs in to a browser: as many sessions as users.
USERS = (None, "ann", "bob")


@pytest.fixture(autouse=True)
def _own_settings(own_settings: None) -> None:
    """All of this happens in one process, with a store of its own."""


@pytest.fixture
def pages(tmp_path) -> list[Page]:
    """Pages of as many sessions, each with a value that it claims, and one that is memoized for it."""
    pages: list[Page] = []
    for number in range(SESSIONS):
        user = USERS[number % len(USERS)]
        pages.append(page_of(server, like=pages[-1] if user else None, user=user))
        pages[-1].exchange(f"session {number}", number, keep=True)
        order = {"serial": number % 2, "journal": str(tmp_path / "journal")}
        pages[-1].fire("own.data told-own.children", {"own-name.value": order})
        assert pages[-1].claim() == []
    return pages


def files(shelf: Shelf) -> dict[str, tuple[int, int]]:
    """Return all values of all sessions: which ones they are, and when they expire."""
    folders = (shelf.folder / domain for domain in ("session", "session-memo"))
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def tokens_of(pages: list[Page]) -> list[str]:
    """Return all that they hold."""
    return [token for page in pages for token in page.held.values()]


def others(pages: list[Page], own: Page) -> list[str]:
    """Return the tokens of all pages but one."""
    return tokens_of([page for page in pages if page is not own])


def sees_its_own(page: Page, number: int) -> bool:
    """Say whether a page sees its two values, whole."""
    mark = f"session {number}"
    return page.shown(tokens_of([page])) == [[mark, number, True], [mark, number % 2, True]]


def test_no_session_opens_a_token_of_another(pages, monkeypatch):
    with unpickled(monkeypatch) as streams, failures(server) as failed:
        for page in pages:
            assert page.shown(others(pages, page)) == ["BadToken"] * 2 * (SESSIONS - 1)
    assert streams == failed == []
    assert all(sees_its_own(page, number) for number, page in enumerate(pages))


def test_no_session_keeps_or_lets_go_what_another_holds(pages, shelf):
    before = files(shelf)
    assert len(before) == 2 * SESSIONS
    for page in pages:
        thief = page_of(server, like=page, user=page.user)
        tokens = others(pages, page)
        thief.held = {f"store {number}": token for number, token in enumerate(tokens)}
        assert thief.claim() == list(range(len(tokens)))
        thief.dropped = tokens
        thief.claim("parked")
        thief.dropped = tokens
        thief.close()
    assert files(shelf) == before
    shelf.store.sweep()
    assert files(shelf) == before


def test_a_token_of_the_app_is_opened_by_all_its_sessions_and_deleted_by_none(pages, shelf):
    with server.test_request_context("/_dash-layout", headers={"Cookie": str(pages[0].cookie)}):
        token = to_token(marked("app", 2), scope="app")
    for page in pages:
        assert page.shown([token]) == [["app", 2, True]]
        page.dropped = [token]
        page.held["other"] = token
        assert page.claim() == []
        page.dropped = [token]
        page.close()
    shelf.later(current.use().grace + 1).sweep()
    assert pages[-1].shown([token]) == [["app", 2, True]]


def test_a_cookie_that_two_apps_are_sent_opens_no_values_of_the_other(pages, monkeypatch):
    spaces = [visit_of(page).namespace("session") for page in pages]
    monkeypatch.setenv("DASH_BRAIN_APP_ID", "another app")
    current.forget()
    with_users()
    for page, space in zip(pages, spaces, strict=True):
        assert visit_of(page).namespace("session") != space
        assert page.shown(tokens_of([page])) == ["BadToken"] * 2
        page.open()  # the session goes on


def test_a_store_that_was_made_anew_opens_nothing_of_the_old_one(pages, shelf):
    shelf.remove()
    for page in pages:
        assert page.claim() == [0, 1]


def test_nothing_of_a_closed_session_opens_anywhere_and_the_others_lose_nothing(pages, shelf):
    remaining = {page: number for number, page in enumerate(pages) if number // len(USERS) % 2}
    closed = [page for page in pages if page not in remaining]
    tokens, cookies = tokens_of(closed), [page.session for page in closed]
    for page in closed[:: len(USERS)]:  # one for all users of the browser
        page.leave()
    assert len(files(shelf)) == 2 * len(remaining)
    for page, cookie in zip(closed, cookies, strict=True):
        page.session = cookie
        assert page.shown(tokens) == ["BadToken"] * len(tokens)
    for page, number in remaining.items():
        assert page.shown(tokens) == ["BadToken"] * len(tokens)
        assert page.claim() == []
        assert sees_its_own(page, number)
