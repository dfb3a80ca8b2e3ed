"""In a browser: a Patch does to a ServerStore what it does to a dcc.Store; the browser describes values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.app.test_browser import Tab
from tests.app.test_patches import CASES, start_value


@pytest.fixture(scope="module")
def url(serve_for_module: Any) -> str:
    return f"{serve_for_module('tests.app.clientside:server', workers=2).url}/below/"


@pytest.fixture
def tab(url: str, browser_for_module: Any) -> Iterator[Tab]:
    tab = Tab(browser_for_module, url)
    tab.wait("plain-text", "[null, null]")
    yield tab
    tab.assert_clean()


def shown(tab: Tab, component_id: str) -> Any:
    return json.loads(tab.text(component_id) or "[null, null]")


def test_a_patch_changes_a_server_store_as_the_browser_changes_a_plain_store(tab):
    for case, operations in CASES.items():
        tab.driver.execute_script("dash_clientside.set_props('case', {data: arguments[0]})", case)
        tab.wait_for(
            lambda case=case, operations=operations: (
                shown(tab, "plain-text") == shown(tab, "ours-text")
                and shown(tab, "ours-text")[0] == case
                and (shown(tab, "ours-text")[1] != start_value() or not operations)
            )
        )


def test_a_clientside_callback_describes_a_value_and_does_not_see_it(tab):
    tab.wait("described", "null")
    tab.driver.execute_script("dash_clientside.set_props('case', {data: 'nothing'})")
    tab.wait_for(lambda: '"rows":4' in tab.text("described"))
    found = json.loads(tab.text("described"))
    assert found.pop("bytes") > 100
    assert found == {"type": "dict", "rows": 4}
