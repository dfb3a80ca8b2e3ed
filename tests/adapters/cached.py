"""An app whose values lie where a SimpleCache does, served by gunicorn: ``tests.adapters.cached:server``."""

from __future__ import annotations

from dash import Dash
from flask_caching import Cache

from dash_brain import ServerStore, configure

app = Dash(__name__)
server = app.server
configure(store=Cache(server, config={"CACHE_TYPE": "SimpleCache"}))
app.layout = [ServerStore(id="store", data=[1, 2])]
