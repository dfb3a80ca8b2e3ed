"""The panel in the page: its script, where the dev tools are on."""

from __future__ import annotations

from dash_brain.web.apps import latest_app, requested_app
from dash_brain.web.dash_internals import has_dev_tools, script_urls

#: What Dash is told of the panel: where its component is in the page.
NAMESPACE, COMPONENT = "dash_brain", "Panel"

#: The panel asks by the script of the stores, which an app without stores does not load.
_SCRIPTS = ("web/server_store.js", "web/panel/panel.js")

#: The panel has to be there before the renderer begins, which looks for its component.
_RENDERER = '<script id="_dash-renderer"'


def add_scripts(page: str) -> str:
    """Return the index page with the panel's script, if its app has dev tools."""
    app = requested_app() or latest_app()
    if app is None or not has_dev_tools(app):
        return page
    missing = [url for url in script_urls(app, NAMESPACE, _SCRIPTS) if url not in page]
    scripts = "".join(f'<script src="{url}"></script>\n' for url in missing)
    return page.replace(_RENDERER, scripts + _RENDERER, 1)
