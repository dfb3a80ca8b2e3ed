"""``BrainBackend``: what the tests of dash-extensions ask of a back end, and an app."""

from __future__ import annotations

import doctest
import sys
import time

import pandas as pd
import pytest
from dash import Input, Output, dcc, html

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore
from tests.app.conftest import Page

if sys.version_info < (3, 11):
    pytest.skip("dash-extensions needs Python 3.11", allow_module_level=True)

from dash_extensions.enrich import DashProxy, Serverside, ServersideOutputTransform

from dash_brain.adapters import dash_extensions
from dash_brain.adapters.dash_extensions import BrainBackend


def test_its_example_runs():
    assert doctest.testmod(dash_extensions) == (0, 3)


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path)


@pytest.fixture
def backend(store):
    return BrainBackend(store=store)


def test_value_comes_back(backend):
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    backend.set("key", frame)
    assert backend.has("key")
    for ignore_expired in (True, False):
        pd.testing.assert_frame_equal(backend.get("key", ignore_expired=ignore_expired), frame)


def test_missing_value_is_an_error_and_no_none(backend):
    assert not backend.has("none")
    with pytest.raises(ValueMissing):
        backend.get("none", ignore_expired=True)


def test_no_key_is_no_value(backend):
    assert backend.get(None) is None


def test_backends_of_one_name_share_values_and_others_do_not(store):
    BrainBackend("one", store).set("key", 1)
    assert BrainBackend("one", store).get("key") == 1
    assert not BrainBackend("other", store).has("key")
    assert BrainBackend("one").uid != BrainBackend("other").uid


def test_value_expires(store):
    backend = BrainBackend(store=store, ttl=0.3)
    backend.set("key", 1)
    time.sleep(0.4)
    assert not backend.has("key")


@pytest.fixture
def page(backend, store):
    other = BrainBackend("other", store)
    app = DashProxy("proxy", transforms=[ServersideOutputTransform(backends=[backend, other])])
    app.layout = html.Div(
        [*(dcc.Store(id=name) for name in ("a", "b")), html.Div(id="out"), html.Div(id="n")]
    )

    @app.callback(Output("a", "data"), Output("b", "data"), Input("n", "children"))
    def load(n):
        frame = pd.DataFrame({"n": range(n)})
        return Serverside(frame), Serverside(frame, key="mine", backend=other)

    @app.callback(Output("out", "children"), Input("a", "data"), Input("b", "data"))
    def show(a, b):
        return len(a) + len(b)

    return Page(app)


def test_app_keeps_values_on_the_server(page, store):
    page.props["n"] = {"children": 5}
    page.fire("a.data", trigger="n.children")
    assert page.props["a"]["data"].startswith("SERVERSIDE_")
    assert len(page.props["a"]["data"]) < 150
    assert page.fire("out.children", trigger="a.data") == {"out": {"children": 10}}
    assert sorted(store.namespaces("serverside")) == ["serverside/default", "serverside/other"]


def test_value_that_is_gone_is_an_error_in_the_callback(page, store):
    page.props["n"] = {"children": 5}
    page.fire("a.data", trigger="n.children")
    store.drop("serverside/default")
    assert page.post("out.children", trigger="a.data").status_code == 500
