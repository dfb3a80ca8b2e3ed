"""How often a callback asks a store beyond a network."""

from __future__ import annotations

import os
from contextlib import closing

import pytest
from dash import Dash, Input, Output, State, html

from dash_brain import ServerStore, brain_callback, close_session, configure
from dash_brain.settings import current
from dash_brain.stores import FileStore, NearCopy
from dash_brain.stores.redis import RedisStore
from tests.app.test_callbacks import is_token
from tests.redis import KEY, RoundTrips, redis_server, running
from tests.stores.far import FarFolder

LARGE = os.urandom(1_000_000)


@pytest.fixture
def far(tmp_path):
    return FarFolder(tmp_path)


@pytest.fixture
def page(open_page, far, tmp_path):
    configure(NearCopy(far, FileStore(tmp_path, "near")))
    page = page_with_values(open_page)
    far.asked.clear()
    return page


def page_with_values(open_page):
    app = Dash(__name__)
    app.layout = [
        *(ServerStore(id=name) for name in ("large", "other", "small")),
        *(html.Div(id=name) for name in ("length", "closed")),
    ]
    brain_callback(Output("large", "data"), Input("year", "value"), app=app)(lambda year: LARGE)
    brain_callback(Output("other", "data"), Input("year", "value"), app=app)(lambda year: LARGE * 2)
    brain_callback(Output("small", "data"), Input("year", "value"), app=app)(lambda year: b"small")
    inputs = Input("large", "data"), State("other", "data"), State("small", "data")
    brain_callback(Output("length", "children"), *inputs, app=app)(
        lambda *values: sum(len(one or ()) for one in values)
    )
    app.callback(Output("closed", "children"), Input("closed", "id"))(lambda _: close_session())
    page = open_page(app)
    page.props["year"] = {"value": 1}
    for name in ("large", "other", "small"):
        assert is_token(page.fire(f"{name}.data", trigger="year.value")[name]["data"])
    read(page)  # what is known after the first request is not looked up again
    return page


def read(page):
    assert page.fire("length.children", trigger="large.data") == {"length": {"children": 3_000_005}}


def test_callback_whose_values_are_near_makes_one_round_trip(page, far):
    for number in range(1, 4):
        read(page)
        assert far.asked == ["look"] * number


def test_callback_that_returns_a_value_asks_once_and_puts_once(page, far):
    page.fire("large.data", trigger="year.value")
    assert far.asked == ["look", "put"]


def test_session_that_was_closed_on_another_host_is_closed_at_its_next_request(page, far, tmp_path):
    cookies = {**page.client._cookies}
    here = current.use()
    current.forget()
    configure(NearCopy(FarFolder(tmp_path), FileStore(tmp_path, "other")))
    page.fire("closed.children")
    current.forget()
    configure(here.store_or_url)
    page.client._cookies = cookies
    response = page.post("length.children", trigger="large.data")
    assert response.status_code == 500
    far.asked.clear()
    response = page.post("large.data", trigger="year.value")
    assert response.status_code == 500
    assert far.asked == ["look"]


def test_value_that_was_deleted_on_another_host_is_a_miss(page, tmp_path):
    elsewhere = FarFolder(tmp_path).wrapped
    for namespace in elsewhere.namespaces("session"):
        elsewhere.drop(namespace)
    assert page.post("length.children", trigger="large.data").status_code == 500


def test_answers_of_a_request_are_forgotten_when_it_is_over(page):
    read(page)
    page.post("length.children", trigger="large.data")
    assert not len(current.use().store._answers)


@pytest.fixture
def redis_server_of_its_own():
    with running(redis_server()) as server:
        yield server


def test_callback_whose_values_are_near_makes_one_round_trip_to_redis(
    open_page, redis_server_of_its_own, tmp_path
):
    server = redis_server_of_its_own
    configure(NearCopy(RedisStore(server.url, key=KEY), FileStore(tmp_path, "near")), key=KEY)
    page = page_with_values(open_page)
    with closing(RoundTrips(server)) as round_trips:
        for _ in range(3):
            read(page)
        assert round_trips.count() == 3


def test_result_that_is_known_is_one_round_trip_when_it_was_asked_for_before(open_page, far, tmp_path):
    configure(NearCopy(far, FileStore(tmp_path, "near")))
    app = Dash(__name__)
    app.layout = [ServerStore(id="made"), ServerStore(id="twice"), html.Div(id="length")]
    options = {"app": app, "memoize": "app"}
    brain_callback(Output("made", "data"), Input("year", "value"), **options)(lambda year: LARGE)
    brain_callback(Output("twice", "data"), Input("made", "data"), **options)(lambda made: made * 2)
    brain_callback(Output("length", "children"), Input("made", "data"), **options)(len)
    page = open_page(app)
    page.props["year"] = {"value": 1}
    for what, trigger in (
        ("made.data", "year.value"),
        ("twice.data", "made.data"),
        ("length.children", "made.data"),
    ):
        answers = [page.fire(what, trigger=trigger) for _ in range(2)]
        far.asked.clear()
        assert page.fire(what, trigger=trigger) == answers[0] == answers[1]
        assert far.asked == ["look"]


@pytest.mark.parametrize("when_down", ["raise", "near"])
def test_callbacks_while_redis_is_down(open_page, redis_server_of_its_own, tmp_path, when_down):
    server, near = redis_server_of_its_own, FileStore(tmp_path, "near")
    configure(NearCopy(RedisStore(server.url, key=KEY), near, when_down=when_down), key=KEY)
    page = page_with_values(open_page)
    page.props["small"] = {"data": None}
    server.kill()
    answer = page.post("length.children", trigger="large.data")
    if when_down == "raise":
        assert answer.status_code == 500
    else:
        page.take(answer.json)
        assert page.props["length"]["children"] == 3_000_000
        assert page.post("large.data", trigger="year.value").status_code == 500
