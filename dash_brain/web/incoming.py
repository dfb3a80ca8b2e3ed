"""Arguments of a callback: every token in them becomes its value, wherever the callback may look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dash.exceptions import PreventUpdate

from dash_brain.errors import BadToken, ValueMissing
from dash_brain.settings import OnMissing, current
from dash_brain.web.dash_internals import flatten_grouping, forget_context_afterwards, stringify_id
from dash_brain.web.exchange import registry, resolve
from dash_brain.web.patterns import Declared, Inputs
from dash_brain.web.sessions import Visit

Leaf = dict[str, Any]


class Sent(NamedTuple):
    """One input or state as it was sent, and what was declared there."""

    leaf: Leaf
    declared: Declared


def resolve_arguments(
    context: Any, visit: Visit, inputs: Inputs, on_missing: OnMissing | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put values in place of tokens in the context of a callback, and return its arguments.

    Parameters
    ----------
    context
        The callback's context: ``inputs_list``, ``states_list`` and what Dash derived from them.
    visit
        Who asks whom.
    inputs
        The declared inputs and states. What was sent is held against them: a client may send anything.
    on_missing
        What to do about a token without a value; None: as configured.

    Raises
    ------
    BadToken
        When what was sent is not for the declared inputs and states.
    """
    stores = server_stores(context, inputs, visit)
    if stores:
        _replace(context, inputs, _resolved(stores, visit, on_missing))
        forget_context_afterwards()
    values = []
    for leaf in (*context.inputs_list, *context.states_list):
        is_many = isinstance(leaf, list)
        values.append([one.get("value") for one in leaf] if is_many else leaf.get("value"))
    return inputs.arguments(values)


def server_stores(context: Any, inputs: Inputs, visit: Visit) -> dict[int, Sent]:
    """Return the inputs and states that are data of ServerStores and hold something, by the leaf's ``id()``.

    Raises
    ------
    BadToken
        When what was sent is not for the declared inputs and states.
    """
    leaves = [*context.inputs_list, *context.states_list]
    inputs.check(leaves, context.get("triggered_inputs") or ())
    stores = {}
    for declared, place in zip(inputs.declared, leaves, strict=True):
        if declared.is_data:
            for leaf in place if isinstance(place, list) else [place]:
                if leaf.get("value") is not None and registry(visit).holds_tokens(leaf["id"]):
                    stores[id(leaf)] = Sent(leaf, declared)
    return stores


def _resolved(stores: dict[int, Sent], visit: Visit, on_missing: OnMissing | None) -> dict[str, Any]:
    """Return property id -> value for every ServerStore that was sent; each token is resolved once."""
    values, by_token = {}, {}
    for leaf, declared in stores.values():
        token = leaf["value"]
        key = token if isinstance(token, str) else repr(token)
        if key not in by_token:
            try:
                by_token[key] = resolve(visit, token, declared.name)
            except (ValueMissing, BadToken) as error:
                by_token[key] = instead(error, on_missing or current.use().on_missing)
        values[declared.prop_id or _prop_id(leaf)] = by_token[key]
    return values


def instead(error: Exception, on_missing: OnMissing) -> Any:
    """Return what takes the place of a value that is not to be had, if something does."""
    return _INSTEAD[on_missing](error) if isinstance(on_missing, str) else on_missing(error)


def _raise(error: Exception) -> Any:
    raise error


def _prevent(error: Exception) -> Any:
    raise PreventUpdate from error


_INSTEAD: dict[str, Callable[[Exception], Any]] = {
    "raise": _raise,
    "empty": lambda error: None,
    "prevent": _prevent,
}


def _replace(context: Any, inputs: Inputs, values: dict[str, Any]) -> None:
    """Put the values everywhere in the context: Dash has copied each token to several places."""
    places = [*context.inputs_list, *context.states_list]
    places += flatten_grouping(context.args_grouping, inputs.indices)
    for one, place in zip(inputs.places, places, strict=True):
        if one.is_data:
            for leaf in place if isinstance(place, list) else [place]:
                prop_id = one.prop_id or _prop_id(leaf)
                if prop_id in values:
                    leaf["value"] = values[prop_id]
    for trigger in context.triggered_inputs:
        if trigger["prop_id"] in values:
            trigger["value"] = values[trigger["prop_id"]]
    for known in (context.input_values, context.state_values):
        for prop_id in values.keys() & known.keys():
            known[prop_id] = values[prop_id]


def _prop_id(leaf: Leaf) -> str:
    return f"{stringify_id(leaf['id'])}.{leaf['property']}"
