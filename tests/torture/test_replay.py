"""Every token of every session is shown in every other one, held, dropped and left there."""

from __future__ import annotations

import pytest

from dash_brain.exchange import to_token
from dash_brain.settings import current
from tests.torture.marks import marked
from tests.torture.pages import Page
from tests.torture.served import server
from tests.torture.shelves import Shelf
from tests.torture.sizes import size
from tests.torture.trial import failures, page_of, unpickled, visit_of

#: Each shows its token to each: the square of this is the number of replays.
SESSIONS = size(100, 317)


@pytest.fixture(autouse=True)
def _own_settings(own_settings: None) -> None:
    """All of this happens in one process, with a store of its own."""


@pytest.fixture
def pages() -> list[Page]:
    """Pages of as many sessions, each with a value that it claims."""
    pages = [page_of(server) for _ in range(SESSIONS)]
    for number, page in enumerate(pages):
        page.exchange(f"session {number}", number)
        assert page.claim() == []
    return pages


def files(shelf: Shelf) -> dict[str, tuple[int, int]]:
    """Return all values of all sessions: which ones they are, and when they expire."""
    paths = (path for path in (shelf.folder / "session").rglob("*") if path.is_file())
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def others(pages: list[Page], own: Page) -> list[str]:
    """Return the tokens of all pages but one."""
    return [page.held["value"] for page in pages if page is not own]


def test_no_session_opens_a_token_of_another(pages, monkeypatch):
    with unpickled(monkeypatch) as streams, failures(server) as failed:
        for page in pages:
            assert page.shown(others(pages, page)) == ["BadToken"] * (SESSIONS - 1)
    assert streams == failed == []
    for number, page in enumerate(pages):
        assert page.shown([page.held["value"]]) == [[f"session {number}", number, True]]


def test_no_session_keeps_or_lets_go_what_another_holds(pages, shelf):
    before = files(shelf)
    assert len(before) == SESSIONS
    for page in pages:
        thief = page_of(server, like=page)
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
    tokens = [page.held["value"] for page in pages]
    spaces = [visit_of(page).namespace("session") for page in pages]
    monkeypatch.setenv("DASH_BRAIN_APP_ID", "another app")
    current.forget()
    for page, token, space in zip(pages, tokens, spaces, strict=True):
        assert visit_of(page).namespace("session") != space
        assert page.shown([token]) == ["BadToken"]
        page.open()  # the session goes on


def test_a_store_that_was_made_anew_opens_nothing_of_the_old_one(pages, shelf):
    shelf.remove()
    for page in pages:
        assert page.claim() == [0]
