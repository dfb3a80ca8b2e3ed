"""The panel says which ServerStore a value is of, and whether it went for the session or for the store."""

from __future__ import annotations

from dash_brain import configure
from dash_brain.settings import current
from tests.app.test_claims import Claiming
from tests.app.test_panel import app_of, look, token_of


def test_values_that_other_tabs_hold_are_named_by_their_server_store(open_page):
    page = open_page(app_of())
    claim, token = Claiming(page), token_of(page)
    claim(token)
    shown = look(page)
    assert [one["store"] for one in shown["others"]] == ["a"]
    assert shown["store"]["on_disk"] == 0


def test_a_value_that_went_for_the_quota_is_told_from_one_that_made_room_in_the_store(open_page, tmp_path):
    configure(f"file://{tmp_path}?size=2MB", session_quota="1MB")
    page = open_page(app_of(bytes(400_000)))
    tokens = [token_of(page) for _ in range(3)]
    assert look(page, tokens[0])["held"] == [{"gone": "quota"}]
    store = current.use().store
    store.put("brain/default", "large", [bytes(1_700_000)])
    assert look(page, tokens[2])["held"] == [{"gone": "evicted"}]
