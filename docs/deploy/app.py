"""The app that the files beside this one deploy: put yours in its place."""

import pandas as pd
from dash import Dash, Input, Output, dcc, html
from werkzeug.middleware.proxy_fix import ProxyFix

from dash_brain import ServerStore, brain_callback

app = Dash()
app.layout = [
    dcc.Dropdown(["north", "south"], "north", id="region"),
    ServerStore(id="sales"),
    html.Div(id="total"),
]


@brain_callback(Output("sales", "data"), Input("region", "value"))
def load(region):
    return pd.DataFrame({"sold": range(10 if region == "north" else 20)})


@brain_callback(Output("total", "children"), Input("sales", "data"))
def total(sales):
    return f"{sales['sold'].sum()} sold"


server = app.server
# One proxy in front sets X-Forwarded-For, -Proto and -Host. With https the cookie is then bound to the host.
server.wsgi_app = ProxyFix(server.wsgi_app, x_for=1, x_proto=1, x_host=1)
