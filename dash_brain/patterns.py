"""Ids with wildcards, and the concrete ids that fit them."""

from __future__ import annotations

import json
from typing import Any

from dash.dependencies import ALL, ALLSMALLER, DashDependency

from dash_brain.internals import stringify_id


def pattern_of(dependency: DashDependency) -> str | None:
    """Return the id of a dependency as text when it has wildcards, else None.

    Examples
    --------
    >>> from dash import ALL, Input
    >>> pattern_of(Input({"part": ALL}, "data"))
    '{"part":["ALL"]}'
    """
    return stringify_id(dependency.component_id) if dependency.has_wildcard() else None


def stands_for_many(dependency: DashDependency) -> bool:
    """Say whether a dependency stands for a list of components, as ``ALL`` does and ``MATCH`` does not.

    Examples
    --------
    >>> from dash import ALL, MATCH, Input
    >>> [stands_for_many(Input(one, "data")) for one in ({"part": ALL}, {"part": MATCH}, "part")]
    [True, False, False]
    """
    return isinstance(dependency.component_id, dict) and any(
        part in (ALL, ALLSMALLER) for part in dependency.component_id.values()
    )


def fits(component_id: str, declared: str) -> bool:
    """Say whether an id, as text, is the declared one or fits its wildcards.

    Examples
    --------
    >>> fits('{"part":7}', '{"part":["MATCH"]}'), fits("part", "part"), fits("part", '{"part":["MATCH"]}')
    (True, True, False)
    """
    if component_id == declared:
        return True
    ours, theirs = _parsed(declared), _parsed(component_id)
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return False
    return ours.keys() == theirs.keys() and all(
        isinstance(value, list) or isinstance(theirs[key], list) or value == theirs[key]
        for key, value in ours.items()
    )


def asks_for(leaf: Any, dependency: DashDependency) -> bool:
    """Say whether what a browser sent is for the property that was declared."""
    if not isinstance(leaf, dict) or leaf.get("property") != dependency.component_property:
        return False
    component_id = leaf.get("id")
    if isinstance(component_id, dict):
        plain = (str, int, float, bool, list)  # a list stands for a wildcard that nothing fits
        return all(isinstance(part, plain) for part in component_id.values()) and fits(
            stringify_id(component_id), stringify_id(dependency.component_id)
        )
    return isinstance(component_id, str) and fits(component_id, stringify_id(dependency.component_id))


def _parsed(component_id: str) -> Any:
    return json.loads(component_id) if component_id.startswith("{") else component_id
