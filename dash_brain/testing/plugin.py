"""The plugin of pytest. It imports nothing until a test asks for one of its fixtures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dash import Dash

    from dash_brain.brain import Brain
    from dash_brain.stores import Store
    from dash_brain.testing import MovableClock, Page
    from dash_brain.testing.own_store import OwnStore
    from dash_brain.web.sessions.session_brain import SessionBrain


@pytest.fixture(name="brain_store")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store of the test, removed at its end; override it to test with another one.

    While a test uses this plugin, everything lies there that would lie in the store of ``configure()``.
    """
    from dash_brain.testing.own_store import temporary_store

    with temporary_store(tmp_path_factory.mktemp("brain_store")) as store:
        yield store


@pytest.fixture(name="_own_store")
def _settings(brain_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnStore]:
    from dash_brain.stores import FileStore
    from dash_brain.testing.own_store import OwnStore

    if isinstance(brain_store, FileStore):  # for processes that the test starts
        monkeypatch.setenv("DASH_BRAIN_STORE", f"file://{brain_store.folder}")
    own = OwnStore(brain_store)
    own.use()
    yield own
    own.end()


@pytest.fixture(name="brain")
def _brain(brain_store: Store, _own_store: OwnStore) -> Brain:
    """A Brain on the store of the test."""
    from dash_brain.brain import Brain

    return Brain(store=brain_store)


@pytest.fixture(name="brain_session")
def _session(_own_store: OwnStore) -> Iterator[SessionBrain]:
    """``session_brain`` of a session of the test: for functions that use it, called as plain ones."""
    from dash_brain.testing.sessions import new_session
    from dash_brain.web.sessions.session_brain import session_brain

    with new_session():
        yield session_brain


@pytest.fixture(name="brain_app")
def _pages(_own_store: OwnStore) -> Iterator[Callable[..., Page]]:
    """Open a page of a Dash app, without a browser: ``page = brain_app(app)``.

    Each call is another browser, with a session of its own. ``base_url="https://localhost"`` opens it by
    https.
    """
    from dash_brain.testing.clients import Servers
    from dash_brain.testing.pages import Page

    servers = Servers()

    def open_page(app: Dash, *, base_url: str = "http://localhost") -> Page:
        _own_store.use()  # importing the app may have called configure()
        return Page(app, servers.client(app.server), base_url)

    yield open_page
    servers.close()


@pytest.fixture(name="brain_clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The clock of the test: ``brain_clock.advance(3600)`` lets an hour pass, for all that uses ``time``."""
    from dash_brain.testing import MovableClock

    clock: MovableClock = MovableClock()
    monkeypatch.setattr(time, "time", clock.time)
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    return clock
