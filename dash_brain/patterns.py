"""What a callback declares, and what a client sends for it: a client may send anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash.dependencies import ALL, ALLSMALLER, DashDependency, Output

from dash_brain import ids
from dash_brain.errors import BadId, BadToken
from dash_brain.internals import clean_property_name

_SAME_ID = (
    " When two callbacks have no outputs and equal inputs, Dash gives them one id and runs the last one for "
    "both: give one of them an Output or another Input."
)


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


def check_inputs(leaves: Sequence[Any], dependencies: Sequence[DashDependency], triggers: Any) -> None:
    """Hold the inputs and states that were sent, and what is said to have changed, against what was declared.

    Raises
    ------
    BadToken
        When they do not fit.
    """
    if len(leaves) != len(dependencies) or not all(map(_is_for, leaves, dependencies)):
        raise BadToken(f"The request does not fit the inputs and states of this callback.{_SAME_ID}")
    if not all(any(_is_of(trigger, one) for one in dependencies) for trigger in triggers):
        raise BadToken("The request names a trigger that is none of the inputs of this callback.")


def check_outputs(specs: Sequence[Any], outputs: Sequence[Output]) -> None:
    """Hold the outputs that are asked for against those that were declared.

    Raises
    ------
    BadToken
        When they do not fit.
    """
    if len(specs) != len(outputs) or not all(map(_is_for, specs, outputs)):
        raise BadToken("The request does not fit the outputs of this callback.")


def name_for(leaf: dict[str, Any], dependencies: Sequence[DashDependency]) -> str:
    """Return the declared id, as text, that a checked input or state was sent for."""
    return next(ids.canonical(one.component_id) for one in dependencies if _asks_for(leaf, one))


def listed(leaf: Any) -> list[Any]:
    """Return the single properties in one place of a request."""
    return leaf if isinstance(leaf, list) else [leaf]


def _is_for(leaf: Any, dependency: DashDependency) -> bool:
    """Say whether what was sent in one place is for what was declared there."""
    return isinstance(leaf, list) == stands_for_many(dependency) and all(
        isinstance(one, dict) and _asks_for(one, dependency) for one in listed(leaf)
    )


def _asks_for(leaf: dict[str, Any], dependency: DashDependency) -> bool:
    name = leaf.get("property")
    if dependency.allow_duplicate and isinstance(name, str):
        name = clean_property_name(name)
    if name != dependency.component_property:
        return False
    if dependency.allow_optional and dependency.has_wildcard() and leaf.get("value") is None:
        return True  # of a component that is not there the page knows no id
    return _fits(leaf.get("id"), dependency)


def _fits(component_id: object, dependency: DashDependency) -> bool:
    try:
        return ids.fits(ids.sent(component_id), ids.canonical(dependency.component_id))
    except BadId:
        return False


def _is_of(trigger: Any, dependency: DashDependency) -> bool:
    """Say whether ``id.property``, as a page names what changed, is of a declared input or state."""
    component_id, _, name = str(trigger["prop_id"]).rpartition(".")
    try:
        return name == dependency.component_property and _fits(ids.read(component_id), dependency)
    except BadId:
        return False
