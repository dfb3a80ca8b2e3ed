"""The panel «Stores» in Dash's dev tools: what the caller's session holds, for whoever builds the app.

It exists only where an app is debugged, as with ``app.run(debug=True)``: else there is no script in the page,
and no callback that would answer. ``route`` answers the scripts, ``report`` says what the session holds, and
``files`` makes a file of a value. Of the scripts, ``watch.js`` asks and counts, and ``panel.js`` draws.
"""

from __future__ import annotations

import dash

from dash_brain.web import server_timing
from dash_brain.web.dash_internals import add_hidden_callback
from dash_brain.web.event_loop import served_beside_loop
from dash_brain.web.panel.route import OUTPUT, answer
from dash_brain.web.servers import is_asgi

#: In this order. They come after the script of the stores, by which they ask.
_SCRIPTS = ("web/panel/watch.js", "web/panel/style.js", "web/panel/panel.js")


def show_panel(app: dash.Dash) -> None:
    """Put the panel into the pages of an app that is debugged and has begun to serve."""
    for path in _SCRIPTS:
        app.scripts.append_script({"namespace": "dash_brain", "relative_package_path": path})
        app.registered_paths["dash_brain"].add(path)  # of workers too that serve the script and not the page
    add_hidden_callback(app, OUTPUT, served_beside_loop(answer) if is_asgi(app.server) else answer)
    server_timing.turn_on()
