"""Components that are no ServerStores and have ``data`` too, as they are sent to browsers."""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from typing import Any

from dash.development.base_component import Component

from dash_brain.errors import BadId, StoreError
from dash_brain.web.dash_internals import serves
from dash_brain.web.exchange import registry_asked
from dash_brain.web.jobs.errands import errand

_plain = Component.to_plotly_json


def watch() -> None:
    """Enter such components in the registry from now on: an id of which nothing is known is a ServerStore's.

    Dash has no hook for what it sends. Callbacks make components that stand in no layout, and a DataTable
    among them must not get tokens.
    """
    Component.to_plotly_json = _noted  # type: ignore[method-assign]


@wraps(_plain)
def _noted(component: Component) -> Any:
    if "data" in component._prop_names and component._type != "ServerStore" and hasattr(component, "id"):
        _note(component.id)
    return _plain(component)  # type: ignore[no-untyped-call]


def _note(component_id: Any) -> None:
    if serves("_dash-layout") or serves("_dash-update-component") or errand() is not None:
        with suppress(BadId, StoreError):  # the component is sent all the same
            registry_asked().add_other(component_id)
