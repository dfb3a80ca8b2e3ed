"""Components that are no ServerStores and have ``data`` too: their ids are registered when they are sent."""

from __future__ import annotations

from contextlib import suppress

from dash.development.base_component import Component

from dash_brain.errors import BadId, StoreError
from dash_brain.web.component_registry import current_registry
from dash_brain.web.dash_internals import has_property, type_of_component, watch_sent_components
from dash_brain.web.layouts import SERVER_STORE
from dash_brain.web.sessions import is_sent_to_page


def watch() -> None:
    """Register such components from now on: an id of which nothing is known counts as a ServerStore's.

    Callbacks make components that stand in no layout, and a DataTable among them must not get tokens.
    """
    watch_sent_components(_register)


def _register(component: Component) -> None:
    if not (has_property(component, "data") and hasattr(component, "id")):
        return
    if type_of_component(component) != SERVER_STORE and is_sent_to_page():
        with suppress(BadId, StoreError):  # the component is sent all the same
            current_registry().add_other(component.id)
