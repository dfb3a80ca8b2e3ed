"""What every test may ask for: a store of its own, a clean Dash, and what the modules beside it start."""

from __future__ import annotations

import gc
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.processes  # noqa: F401  # its fork server is that of the contract of stores, too
from tests import needs
from tests.browsers import browser, browser_factory, browser_for_all, browser_for_module
from tests.programs import REPOSITORY
from tests.redis import redis_url
from tests.servers import serve, serve_for_module

#: Fixtures that are defined elsewhere.
__all__ = ["browser", "browser_factory", "browser_for_all", "browser_for_module"]
__all__ += ["redis_url", "serve", "serve_for_module"]

#: The store of this test run. No test reads or writes the default store of whoever runs the tests.
STORE_NAME = f"test-{os.getpid()}-{secrets.token_hex(4)}"
_stores = {STORE_NAME}


def pytest_configure(config: pytest.Config) -> None:
    """Point this process and its children at the run's own store and at this source, before anything else.

    A hook and not a fixture: the doctests of the package lie outside this folder, where no fixture of
    this file reaches.
    """
    for name in [name for name in os.environ if name.startswith("DASH_BRAIN_")]:
        if name != "DASH_BRAIN_SOAK":  # how much the torture tests do
            del os.environ[name]
    os.environ["DASH_BRAIN_STORE"] = f"shm://{STORE_NAME}"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    _load_hypothesis_profile()
    config.pluginmanager.register(_Doctests())


class _Doctests:
    """Hooks for the doctests of the package, which this file's own do not reach."""

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin without settings that are in use."""
        if isinstance(item, pytest.DoctestItem):
            from dash_brain.settings import current

            current.forget()


def pytest_runtest_setup(item: pytest.Item) -> None:
    needs.check(item)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the helpers out: ``--doctest-modules`` would import, and so start, the apps among them."""
    helper = collection_path.suffix == ".py" and not collection_path.name.startswith("test_")
    return True if helper and collection_path.is_relative_to(REPOSITORY / "tests") else None


def pytest_collection_finish(session: pytest.Session) -> None:
    # Tests collect garbage: with the modules and tests among it, that takes a third of a second each time.
    gc.collect()
    gc.freeze()
    # The store that the doctests name; a run without them must not remove it under another's feet.
    if any(isinstance(item, pytest.DoctestItem) for item in session.items):
        _stores.add("example")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the stores of this run."""
    from dash_brain.stores import SharedMemoryStore
    from tests.stores.places import remove

    for name in _stores:
        remove(SharedMemoryStore(name))


def _load_hypothesis_profile() -> None:
    from hypothesis import settings

    # A shared machine makes deadlines flaky, and CI must judge one commit the same way twice.
    settings.register_profile("dash_brain", deadline=None, derandomize="CI" in os.environ, print_blob=True)
    settings.load_profile("dash_brain")


@pytest.fixture(autouse=True)
def _stores_are_closed() -> Iterator[None]:
    """Close the local stores that a test left open, which would go on sweeping beside other tests."""
    yield
    if "dash_brain.stores.mapped" in sys.modules:
        from dash_brain.common import forks
        from dash_brain.stores.mapped import MappedStore

        for one in list(forks._registered):  # all that have something open
            if isinstance(one, MappedStore):
                one.close()


@pytest.fixture(autouse=True)
def _clean_dash() -> Iterator[None]:
    """Forget the callbacks that were registered without an app; the next app would adopt them."""
    _clear_dash_globals()
    yield
    _clear_dash_globals()


def _clear_dash_globals() -> None:
    if "dash" not in sys.modules:
        return
    from dash import _callback

    for name in ("GLOBAL_CALLBACK_LIST", "GLOBAL_CALLBACK_MAP", "GLOBAL_INLINE_SCRIPTS", "GLOBAL_API_PATHS"):
        getattr(_callback, name).clear()
