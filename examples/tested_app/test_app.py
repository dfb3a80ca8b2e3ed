"""Tests of ``app.py``, by the fixtures of dash_brain: ``pytest examples/tested_app``."""

import pandas as pd
import pytest
from app import add, app, count, load

from dash_brain.stores import MemoryStore
from dash_brain.testing import FailingStore, ForgettingStore

ORDERS = pd.DataFrame({"order": range(3)})


def test_a_callback_is_a_function():
    assert count(ORDERS) == "3 orders"


def test_the_cart_is_kept_for_the_session(brain_session):
    assert add(1, 5) == "1 in the cart"
    assert brain_session["cart"] == [5]


def test_a_frame_goes_from_callback_to_callback(brain_app):
    page = brain_app(app)
    orders = page.call("orders.data", {"n.value": 4})
    assert len(orders) == 4
    assert page.call("count.children") == "4 orders"
    assert page.call("count.children", {"orders.data": ORDERS}) == "3 orders"


def test_each_browser_has_a_cart_of_its_own(brain_app):
    mine, yours = brain_app(app), brain_app(app)
    mine.call("cart.children", {"add.n_clicks": 1, "n.value": 7})
    assert mine.call("cart.children", {"add.n_clicks": 2}) == "2 in the cart"
    assert yours.call("cart.children", {"add.n_clicks": 1}) == "1 in the cart"


def test_orders_are_loaded_again_after_an_hour(brain_app, brain_clock):
    page = brain_app(app)

    def misses():
        page.call("orders.data", {"n.value": 3})
        return page.run(load.info).misses

    before = misses()
    assert misses() == before
    brain_clock.advance(3601)
    assert misses() == before + 1


class TestTrouble:
    @pytest.fixture
    def brain_store(self):
        return FailingStore(ForgettingStore(MemoryStore()))

    def test_a_store_that_is_down_is_said_to_the_user(self, brain_app, brain_store):
        page = brain_app(app)
        page.call("orders.data")
        with brain_store.failing("get"):
            assert page.call("count.children") == "Try again in a minute."
        assert page.call("count.children") == "3 orders"

    def test_lost_orders_are_said_to_the_user(self, brain_app, brain_store):
        page = brain_app(app)
        page["orders.data"] = ORDERS
        brain_store.wrapped.forget()
        assert page.call("count.children") == "Load the orders again."
