"""What tests of memoized callbacks share: an app, and a look at what is kept."""

from __future__ import annotations

import dash
from dash import dcc, html

from dash_brain import ServerStore
from dash_brain.settings import current
from dash_brain.stores.base import Store


def app_with(*layout, **options):
    app = dash.Dash("test", **options)
    app.layout = html.Div([dcc.Input(id="n", value=2), ServerStore(id="a"), ServerStore(id="b"), *layout])
    return app


def objects(domain):
    """Return the (namespace, key) of every object of a domain."""
    store = current.use().store
    return [(one, key) for one in store.namespaces(domain) for key in store.scan(one)]


def evict():
    """Delete every memoized value, as for want of memory; what is known of their making stays."""
    store: Store = current.use().store
    for domain in ("memo", "session-memo"):
        for one in objects(domain):
            store.delete(*one)
