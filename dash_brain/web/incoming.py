"""Arguments of a callback: values take the place of tokens, in the arguments and in ``dash.ctx``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dash.exceptions import PreventUpdate

from dash_brain.errors import BadToken, ValueMissing, WiringError
from dash_brain.settings import OnMissing, current
from dash_brain.web.component_registry import registry_of
from dash_brain.web.dash_internals import flatten_grouping, forget_context_afterwards, stringify_id
from dash_brain.web.dependencies import Dependency, Inputs, listed
from dash_brain.web.exchange import resolve
from dash_brain.web.sessions import Caller

Leaf = dict[str, Any]


#: The key in the context of a callback under which it has what its ServerStores hold.
HELD = "dash_brain_held"


class SentInput(NamedTuple):
    """One input or state of a request, and its declaration."""

    leaf: Leaf
    declared: Dependency


class Held(NamedTuple):
    """The tokens, by ``id.property``, that a call got, or has set since; and its ``on_missing``."""

    tokens: dict[str, Any]
    on_missing: OnMissing | None


def resolve_arguments(
    context: Any, caller: Caller, inputs: Inputs, on_missing: OnMissing | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put values in place of tokens in the context of a callback, and return its arguments.

    Parameters
    ----------
    context
        The callback's context: ``inputs_list``, ``states_list`` and what Dash derived from them.
    caller
        The session and app of the request.
    inputs
        The declared inputs and states, against which the request is checked: a client may send anything.
    on_missing
        What to do about a token without a value; None: as configured.

    Raises
    ------
    BadToken
        When the request does not fit the declared inputs and states.
    """
    stores = server_stores(context, inputs, caller)
    context[HELD] = held = Held({}, on_missing)
    if stores:
        _replace(context, inputs, _resolved(stores, caller, held))
        forget_context_afterwards(stores.values())
    values = []
    for leaf in (*context["inputs_list"], *context["states_list"]):
        is_many = isinstance(leaf, list)
        values.append([one.get("value") for one in leaf] if is_many else leaf.get("value"))
    return inputs.arguments(values)


def server_stores(context: Any, inputs: Inputs, caller: Caller) -> dict[int, SentInput]:
    """Return the non-empty inputs and states that are data of ServerStores, by the ``id()`` of their dicts.

    Raises
    ------
    BadToken
        When the request does not fit the declared inputs and states.
    """
    leaves = [*context["inputs_list"], *context["states_list"]]
    inputs.check(leaves, context.get("triggered_inputs") or ())
    stores = {}
    for declared, place in zip(inputs.declared, leaves, strict=True):
        if declared.is_data:
            for leaf in place if isinstance(place, list) else [place]:
                if leaf.get("value") is not None and registry_of(caller).holds_tokens(leaf["id"]):
                    stores[id(leaf)] = SentInput(leaf, declared)
    return stores


def value_before(context: Any, caller: Caller, component_id: Any) -> Any:
    """Return, as another copy, the value of a ServerStore that the running call got, or has set since.

    Raises
    ------
    WiringError
        When the store is neither an Input nor a State of the call.
    """
    prop_id = f"{stringify_id(component_id)}.data"
    sent = _sent_tokens(context)
    held = context.get(HELD) or Held(sent, "raise")
    if prop_id not in held.tokens and prop_id not in sent:
        raise WiringError(_NOT_SENT.format(store=component_id))
    token = held.tokens.get(prop_id)
    try:
        return None if token is None else resolve(caller, token, stringify_id(component_id))
    except (ValueMissing, BadToken) as error:
        return substitute(error, held.on_missing or current.use().on_missing)


def _sent_tokens(context: Any) -> dict[str, Any]:
    """Return property id -> what was sent, for the data of all inputs and states."""
    places = (*context.get("inputs_list", ()), *context.get("states_list", ()))
    leaves = [leaf for place in places for leaf in listed(place) if leaf.get("property") == "data"]
    return {_prop_id(leaf): leaf.get("value") for leaf in leaves}


_NOT_SENT = (
    "A Patch cannot change ServerStore {store!r}, whose value is on the server: the callback did not get it. "
    "Add State(..., 'data') of the store to the callback, and the Patch is applied to its value; or take the "
    "value as State, change it, and return it."
)


def _resolved(stores: dict[int, SentInput], caller: Caller, held: Held) -> dict[str, Any]:
    """Return property id -> value for every ServerStore that was sent; each token is resolved once."""
    values, by_token = {}, {}
    for leaf, declared in stores.values():
        token = leaf["value"]
        key = token if isinstance(token, str) else repr(token)
        if key not in by_token:
            try:
                by_token[key] = resolve(caller, token, declared.name)
            except (ValueMissing, BadToken) as error:
                by_token[key] = substitute(error, held.on_missing or current.use().on_missing)
        prop_id = declared.prop_id or _prop_id(leaf)
        values[prop_id], held.tokens[prop_id] = by_token[key], token
    return values


def substitute(error: Exception, on_missing: OnMissing) -> Any:
    """Return the substitute for a missing value, or raise, as ``on_missing`` says."""
    return _SUBSTITUTES[on_missing](error) if isinstance(on_missing, str) else on_missing(error)


def _raise(error: Exception) -> Any:
    raise error


def _prevent(error: Exception) -> Any:
    raise PreventUpdate from error


_SUBSTITUTES: dict[str, Callable[[Exception], Any]] = {
    "raise": _raise,
    "empty": lambda error: None,
    "prevent": _prevent,
}


def _replace(context: Any, inputs: Inputs, values: dict[str, Any]) -> None:
    """Put the values everywhere in the context: Dash has copied each token to several places."""
    places = [*context["inputs_list"], *context["states_list"]]
    grouping = context["args_grouping"]
    if isinstance(inputs.indices, int):
        places.append(grouping)
    else:
        places += grouping if inputs.flat is not None else flatten_grouping(grouping, inputs.indices)
    for one, place in zip(inputs.places, places, strict=True):
        if one.is_data:
            for leaf in place if isinstance(place, list) else [place]:
                prop_id = one.prop_id or _prop_id(leaf)
                if prop_id in values:
                    leaf["value"] = values[prop_id]
    for trigger in context["triggered_inputs"]:
        if trigger["prop_id"] in values:
            trigger["value"] = values[trigger["prop_id"]]
    for known in (context["input_values"], context["state_values"]):
        for prop_id in values.keys() & known.keys():
            known[prop_id] = values[prop_id]


def _prop_id(leaf: Leaf) -> str:
    return f"{stringify_id(leaf['id'])}.{leaf['property']}"
