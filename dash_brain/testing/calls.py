"""The requests by which a page calls callbacks: what the renderer of Dash sends for the components it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dash_brain.web.component_ids import canonical

_MATCH, _ALL, _SMALLER = _WILDCARDS = (["MATCH"], ["ALL"], ["ALLSMALLER"])


class Prop(NamedTuple):
    """A property of a component: the canonical text of its id, and the name of the property."""

    component: str
    name: str

    @property
    def id(self) -> Any:
        """The id as a request has it."""
        return _parsed(self.component)

    def __str__(self) -> str:
        return f"{self.component}.{self.name}"


def prop_of(named: object) -> Prop:
    """Return the property that a test names: ``"orders.data"``, or a dependency of Dash.

    Examples
    --------
    >>> prop_of('{"part": 1}.data')
    Prop(component='{"part":1}', name='data')
    """
    component, _, name = str(named).rpartition(".")
    if not component or not name:
        raise ValueError(f'{named!r} names no property: write "id.property", or Input("id", "property").')
    return Prop(canonical(component), name.partition("@")[0])


class Pattern(NamedTuple):
    """A property in the declaration of a callback, whose id may have wildcards."""

    id: Any
    name: str

    def bindings(self, prop: Prop) -> dict[str, Any] | None:
        """Return what stands for each ``MATCH`` if this property is one of the pattern's, else None."""
        known = prop.id
        if prop.name != self.name or not isinstance(self.id, dict) or not isinstance(known, dict):
            return {} if prop == (self.id, self.name) else None
        if set(self.id) != set(known) or not all(
            part in _WILDCARDS or part == known[key] for key, part in self.id.items()
        ):
            return None
        return {key: known[key] for key, part in self.id.items() if part == _MATCH}

    def concrete(self, bound: Mapping[str, Any], components: Iterable[str]) -> Prop | list[Prop]:
        """Return the property that is meant; for ``ALL`` and ``ALLSMALLER`` a list of those there are."""
        if not isinstance(self.id, dict):
            return Prop(self.id, self.name)
        wanted = {key: bound.get(key) if part == _MATCH else part for key, part in self.id.items()}
        if _ALL in wanted.values() or _SMALLER in wanted.values():
            return [Prop(one, self.name) for one in components if _is_meant(_parsed(one), wanted, bound)]
        return Prop(canonical(wanted), self.name)


def _is_meant(known: Any, wanted: Mapping[str, Any], bound: Mapping[str, Any]) -> bool:
    if not isinstance(known, dict) or set(known) != set(wanted):
        return False
    return all(
        part == _ALL or (known[key] < bound[key] if part == _SMALLER else part == known[key])
        for key, part in wanted.items()
    )


class Declared:
    """A callback, as the server tells pages of it."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._output: str = told["output"]
        self.is_clientside = bool(told.get("clientside_function"))
        self.outputs = [] if told.get("no_output") else list(_outputs(self._output))
        self._inputs = [Pattern(_parsed(one["id"]), one["property"]) for one in told["inputs"]]
        self._states = [Pattern(_parsed(one["id"]), one["property"]) for one in told["state"]]

    def fits(self, output: Prop | None, given: Iterable[Prop]) -> bool:
        """Say whether it has this output (None: no output at all), and takes all that is given."""
        has_output = not self.outputs if output is None else _has(self.outputs, output)
        return has_output and all(_has([*self._inputs, *self._states], prop) for prop in given)

    def triggers(self, given: Iterable[Prop]) -> list[Prop]:
        """Return those properties that are its inputs; a state triggers nothing."""
        return [prop for prop in given if _has(self._inputs, prop)]

    def body(self, output: Prop | None, triggers: list[Prop], values: Mapping[Prop, Any]) -> dict[str, Any]:
        """Return the body of the request that calls it, for a page whose components have these values."""
        bound = self._bound([*filter(None, [output]), *triggers])
        components = list(dict.fromkeys(prop.component for prop in values))
        outputs = [_told(one.concrete(bound, components), {}) for one in self.outputs]
        return {
            "output": self._output,
            "outputs": outputs if self._output.startswith("..") or not outputs else outputs[0],
            "inputs": [_told(one.concrete(bound, components), values) for one in self._inputs],
            "state": [_told(one.concrete(bound, components), values) for one in self._states],
            "changedPropIds": list(map(str, triggers)),
        }

    def _bound(self, known: Iterable[Prop]) -> dict[str, Any]:
        found = (one.bindings(prop) for prop in known for one in (*self.outputs, *self._inputs))
        return next(filter(None, found), {})


def _has(patterns: Iterable[Pattern], prop: Prop) -> bool:
    return any(one.bindings(prop) is not None for one in patterns)


def _told(prop: Prop | list[Prop], values: Mapping[Prop, Any]) -> Any:
    if isinstance(prop, list):
        return [_told(one, values) for one in prop]
    leaf = {"id": prop.id, "property": prop.name}
    return {**leaf, "value": values[prop]} if prop in values else leaf


def _outputs(output: str) -> Iterator[Pattern]:
    for part in output[2:-2].split("...") if output.startswith("..") else [output]:
        component, _, name = part.replace("\\.", "\0").rpartition(".")
        yield Pattern(_parsed(component.replace("\0", ".")), name.partition("@")[0])


def _parsed(component: str) -> Any:
    return json.loads(component) if component.startswith("{") else component
