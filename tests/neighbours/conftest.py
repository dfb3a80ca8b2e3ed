"""A store for each test, as in the tests of apps."""

from tests.app.conftest import _own_settings, open_page

__all__ = ["_own_settings", "open_page"]
