"""Arguments of a callback: every token in them becomes its value, wherever the callback may look."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from dash.dependencies import DashDependency
from dash.exceptions import PreventUpdate

from dash_brain.errors import BadToken, ValueMissing
from dash_brain.exchange import registry, resolve
from dash_brain.internals import (
    flatten_grouping,
    forget_context_afterwards,
    map_grouping,
    stringify_id,
)
from dash_brain.patterns import check_inputs, listed, name_for
from dash_brain.sessions import Visit
from dash_brain.settings import OnMissing

Leaf = dict[str, Any]


def resolve_arguments(
    context: Any, visit: Visit, dependencies: list[DashDependency], indices: Any, on_missing: OnMissing
) -> Any:
    """Put values in place of tokens in the context of a callback, and return its arguments.

    Parameters
    ----------
    context
        The callback's context: ``inputs_list``, ``states_list`` and what Dash derived from them.
    visit
        Who asks whom.
    dependencies
        The declared inputs and states. What was sent is held against them: a client may send anything.
    indices
        The grouping of the arguments: dicts, lists and positions in inputs + states.
    on_missing
        What to do about a token without a value.

    Returns
    -------
    Any
        The arguments in the shape of ``indices``.

    Raises
    ------
    BadToken
        When what was sent is not for the declared inputs and states.
    """
    stores = server_stores(context, dependencies, visit)
    named = [(leaf, name_for(leaf, dependencies)) for leaf in stores.values()]
    values = _resolved(named, visit, on_missing)
    if values:
        _replace(context, indices, values)
        forget_context_afterwards()
    leaves = [*context.inputs_list, *context.states_list]
    return map_grouping(lambda index: _value(leaves[index]), indices)


def server_stores(context: Any, dependencies: list[DashDependency], visit: Visit) -> dict[int, Leaf]:
    """Return the inputs and states that are data of ServerStores and hold something, by the leaf's ``id()``.

    Raises
    ------
    BadToken
        When what was sent is not for the declared inputs and states.
    """
    leaves = [*context.inputs_list, *context.states_list]
    check_inputs(leaves, dependencies, context.get("triggered_inputs") or ())
    stores = registry(visit)
    return {
        id(leaf): leaf
        for leaf in chain.from_iterable(map(listed, leaves))
        if leaf["property"] == "data" and leaf.get("value") is not None and stores.holds_tokens(leaf["id"])
    }


def _resolved(stores: list[tuple[Leaf, str]], visit: Visit, on_missing: OnMissing) -> dict[str, Any]:
    """Return property id -> value for every ServerStore that was sent; each token is resolved once."""
    by_token: dict[str, Any] = {}
    for leaf, name in stores:
        if _key(leaf["value"]) not in by_token:
            by_token[_key(leaf["value"])] = _value_or_instead(visit, leaf["value"], name, on_missing)
    return {_prop_id(leaf): by_token[_key(leaf["value"])] for leaf, _ in stores}


def _key(token: Any) -> str:
    return token if isinstance(token, str) else repr(token)


def _value_or_instead(visit: Visit, token: object, name: str, on_missing: OnMissing) -> Any:
    try:
        return resolve(visit, token, name)
    except (ValueMissing, BadToken) as error:
        return instead(error, on_missing)


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


def _replace(context: Any, indices: Any, values: dict[str, Any]) -> None:
    """Put the values everywhere in the context: Dash has copied each token to several places."""
    grouped = flatten_grouping(context.args_grouping, indices)
    for leaf in chain.from_iterable(map(listed, (*context.inputs_list, *context.states_list, *grouped))):
        if _prop_id(leaf) in values:
            leaf["value"] = values[_prop_id(leaf)]
    for trigger in context.triggered_inputs:
        if trigger["prop_id"] in values:
            trigger["value"] = values[trigger["prop_id"]]
    for known in (context.input_values, context.state_values):
        known.update({prop_id: values[prop_id] for prop_id in known if prop_id in values})


def _value(leaf: Any) -> Any:
    return [one.get("value") for one in leaf] if isinstance(leaf, list) else leaf.get("value")


def _prop_id(leaf: Leaf) -> str:
    return f"{stringify_id(leaf['id'])}.{leaf['property']}"
