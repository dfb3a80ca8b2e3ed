"""The ids and types of the components in an app's layouts, known before a page is served."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import dash

from dash_brain.errors import BadId
from dash_brain.web.component_ids import canonical, repeated
from dash_brain.web.dash_internals import call_outside_requests, components_in, type_of_component

#: Types of components, as ``namespace.type``.
SERVER_STORE, PLAIN_STORE = "dash_brain.ServerStore", "dash_core_components.Store"

#: A component that repeats the data of another one.
_BREAKER = "dash_extensions.CycleBreaker"

log = logging.getLogger("dash_brain")


class Layouts:
    """The layouts of one app: id -> kind of component, as ``namespace.type``.

    A layout that is no function, and ``validation_layout``, hold for every page. Layout functions, also those
    of pages, are called once in a process, outside of requests; for a session they may return another layout.
    """

    def __init__(self, app: dash.Dash | None) -> None:
        self._app = weakref.ref(app) if app is not None else lambda: None
        self._read: tuple[Any, Any, dict[str, str]] = (None, None, {})
        self._called: tuple[Any, dict[str, str]] = (None, {})
        self._lock = threading.RLock()

    def made(self, name: str) -> str | None:
        """Return the kind of the component that a layout function made with this id."""
        return self._made().get(name)

    def kinds(self) -> Mapping[str, str]:
        """Return id -> kind for all components."""
        return {**self._made(), **self.declared()}

    def declared(self) -> dict[str, str]:
        """Return id -> kind for the components that every page has."""
        app = self._app()
        if app is None:
            return {}
        first, second = app.validation_layout, app.layout
        if first is not self._read[0] or second is not self._read[1]:
            # Pages also have what validation_layout leaves out.
            self._read = (first, second, _kinds([first, second]))
        return self._read[2]

    def _made(self) -> dict[str, str]:
        app = self._app()
        # Dash calls the functions itself for validation_layout, which it neither makes nor needs when
        # exceptions are suppressed.
        is_whole = app is not None and app.validation_layout is not None
        if app is None or (is_whole and not app.config.suppress_callback_exceptions):
            return {}
        with self._lock:
            if app.layout is not self._called[0]:
                self._called = (app.layout, {})  # for layout functions that need the answer themselves
                self._called = (app.layout, _kinds(list(_call(app))))
            return self._called[1]


_layouts: weakref.WeakKeyDictionary[dash.Dash, Layouts] = weakref.WeakKeyDictionary()


def layouts_of(app: dash.Dash | None) -> Layouts:
    """Return the layouts of an app; without an app, none are known."""
    if app is None:
        return Layouts(None)
    return _layouts.setdefault(app, Layouts(app))


def _call(app: dash.Dash) -> Iterator[Any]:
    """Yield the layouts that an app's functions make; those that need a request, or arguments, fail."""
    pages = dash.page_registry.values() if app.use_pages else ()
    for layout in (app.layout, *(page.get("layout") for page in pages)):
        try:
            yield call_outside_requests(app, layout) if callable(layout) else layout
        except Exception as error:
            log.debug("A layout function cannot be called without a page: %r", error)


def _kinds(layouts: list[Any]) -> dict[str, str]:
    """Return id -> kind for every component of layouts."""
    kinds: dict[str, str] = {}
    for part in components_in(layouts):
        name = _name(getattr(part, "id", None))
        # Two pages may use one id for a ServerStore and another component: no value may leave the server.
        if name is not None and kinds.get(name) != SERVER_STORE:
            kinds[name] = type_of_component(part)
    for name in [name for name, kind in kinds.items() if kind == _BREAKER]:
        kind = kinds.get(repeated(name) or name)
        if kind is None:
            del kinds[name]  # a callback makes the other component
        else:
            kinds[name] = kind
    return kinds


def _name(component_id: Any) -> str | None:
    try:
        return None if component_id is None else canonical(component_id)
    except BadId:
        return None  # no callback can name it
