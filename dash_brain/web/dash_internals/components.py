"""Components: their types, their parts, and the moment in which one is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from dash._utils import to_json
from dash.development.base_component import Component


def type_of_component(component: Component) -> str:
    """Return ``namespace.type`` of a component, as the browser gets it."""
    return f"{component._namespace}.{component._type}"


def has_property(component: Component, name: str) -> bool:
    """Say whether components of this type have a property, whether it is set or not."""
    return name in component._prop_names


def components_in(thing: Any) -> Iterator[Component]:
    """Yield the components in a layout or list, also those in other properties than ``children``."""
    if isinstance(thing, Component):
        yield thing
        for name in {"children", *(re.split(r"\W", path)[0] for path in thing._children_props)}:
            yield from components_in(getattr(thing, name, None))
    elif isinstance(thing, (list, tuple, dict)):
        for part in thing.values() if isinstance(thing, dict) else thing:
            yield from components_in(part)


def watch_sent_components(note: Callable[[Component], None]) -> None:
    """Call a function with each component that is serialized from now on; Dash has no hook for that."""
    to_plotly_json = Component.to_plotly_json

    @wraps(to_plotly_json)
    def note_and_send(component: Component) -> Any:
        note(component)
        return to_plotly_json(component)  # type: ignore[no-untyped-call]

    Component.to_plotly_json = note_and_send  # type: ignore[method-assign]


def is_json(value: Any) -> bool:
    """Say whether Dash can send a value to the browser."""
    try:
        to_json(value)
    except TypeError:
        return False
    return True
