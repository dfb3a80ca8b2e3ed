"""Results of a callback: a value for a ServerStore is stored, and its token goes to the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from dash import Output, Patch
from dash.exceptions import InvalidCallbackReturnValue

from dash_brain.errors import WiringError
from dash_brain.web.component import ServerOutput
from dash_brain.web.component_ids import canonical
from dash_brain.web.component_registry import registry_of
from dash_brain.web.dash_internals import (
    flatten_grouping,
    is_json,
    is_no_update,
    make_grouping_by_index,
    stringify_id,
)
from dash_brain.web.dependencies import Dependency, Outputs, listed
from dash_brain.web.exchange import discard, mint, register_server_store, store_value
from dash_brain.web.incoming import HELD, value_before
from dash_brain.web.patches import patched
from dash_brain.web.recipes.records import ObjectRef
from dash_brain.web.sessions import Caller
from dash_brain.web.tokens import Token


def server_store_ids(context: Any, outputs: Outputs, caller: Caller) -> Iterator[str]:
    """Yield the ids of the ServerStores among the concrete outputs of a call."""
    specs = outputs.checked(context["outputs_list"])
    for spec, flags in zip(specs, server_store_outputs(context, outputs, caller), strict=True):
        for one, is_server_store in zip(listed(spec), flags, strict=True):
            if is_server_store:
                yield canonical(one["id"])


def server_store_outputs(context: Any, outputs: Outputs, caller: Caller) -> list[list[bool]]:
    """Return, for each declared output, which of its concrete ones are data of a ServerStore.

    Raises
    ------
    BadToken
        When what was sent is not for the declared outputs.
    """
    stores = registry_of(caller)
    return [
        [declared.is_data and stores.holds_tokens(one["id"]) for one in listed(spec)]
        for spec, declared in zip(outputs.checked(context["outputs_list"]), outputs.declared, strict=True)
    ]


class Outgoing:
    """The results of one call.

    Parameters
    ----------
    caller
        The session and app of the request.
    context
        The context of the call, which has the values that a ``Patch`` changes; None: there is none.
    keep
        Stores a value and returns what goes to the browser; by default, its token for the session.
    """

    def __init__(
        self, caller: Caller, context: Any, keep: Callable[[Any], Token | ObjectRef] | None = None
    ) -> None:
        self._caller = caller
        self._context = {} if context is None else context
        self._held = self._context[HELD].tokens if HELD in self._context else {}
        self._keep = keep
        self._minted: dict[int, tuple[Any, Token | ObjectRef]] = {}

    def outputs(self, result: Any, specs: Any, outputs: Outputs) -> Any:
        """Return a callback's result with tokens in it.

        Parameters
        ----------
        result
            What the function returned.
        specs
            The concrete outputs of this call, as Dash lists them in ``outputs_list``.
        outputs
            The declared outputs.

        Raises
        ------
        BadToken
            When the concrete outputs, which a client sends, are not for the declared ones.
        """
        asked, schema = outputs.checked(specs), outputs.schema
        if is_no_update(result) or not outputs.declared:
            return result
        if outputs.is_single:
            return self._leaf(result, specs, outputs.declared[0])
        try:
            values = flatten_grouping(result, schema)
        except InvalidCallbackReturnValue:
            return result  # Dash raises the error for it
        return make_grouping_by_index(schema, list(map(self._leaf, values, asked, outputs.declared)))

    def declared(self, value: Any, output: Output) -> Any:
        """Return what goes to a declared output without wildcards."""
        spec = {"id": output.component_id, "property": output.component_property}
        return self._leaf(value, spec, Dependency(output))

    def side_updates(self, updates: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return what ``set_props`` collected during the call with tokens in it."""
        return {component_id: self.props(component_id, props) for component_id, props in updates.items()}

    def props(self, component_id: Any, props: dict[str, Any]) -> dict[str, Any]:
        """Return the properties of one component with tokens in them."""
        return {
            name: self._single(value, {"id": component_id}) if name == "data" else value
            for name, value in props.items()
        }

    def undo(self) -> None:
        """Delete what this call stored: its tokens are not sent."""
        for _, token in self._minted.values():
            if isinstance(token, Token):
                discard(self._caller, token)
        self._minted.clear()

    def _leaf(self, value: Any, spec: Any, output: Dependency) -> Any:
        """Return what goes to one declared output: a list of values when its id has wildcards."""
        if not output.is_data:
            return value
        if isinstance(output.dependency, ServerOutput):
            register_server_store(self._caller, output.dependency.component_id)
        if not isinstance(spec, list):
            return self._single(value, spec)
        if not isinstance(value, (list, tuple)) or len(value) != len(spec):
            return value  # Dash raises the error for it
        return list(map(self._single, value, spec))

    def _single(self, value: Any, spec: dict[str, Any]) -> Any:
        if isinstance(value, ObjectRef):
            return mint(self._caller, value)
        if not registry_of(self._caller).holds_tokens(spec["id"]):
            _check_json(value, spec["id"])
            return value
        if is_no_update(value):
            return value
        if self._keep is not None and isinstance(value, (Patch, Token)):
            raise WiringError(_NOT_MEMOIZED[isinstance(value, Patch)])
        if isinstance(value, Patch):
            value = patched(value_before(self._context, self._caller, spec["id"]), value, spec["id"])
        if value is not None and not isinstance(value, Token):
            value = self._token(value, spec["id"])
        self._held[f"{stringify_id(spec['id'])}.data"] = value  # which a later Patch of the call changes
        return value

    def _token(self, value: Any, store_id: Any) -> Token | ObjectRef:
        """Return the value's token; one that is returned for two stores is stored once."""
        if id(value) not in self._minted:
            token = self._keep(value) if self._keep else store_value(self._caller, value, store_id=store_id)
            # The reference to the value keeps its id() from being used again.
            self._minted[id(value)] = (value, token)
        return self._minted[id(value)][1]


#: What a memoized callback may not return for a ServerStore, by whether it is a Patch.
_NOT_MEMOIZED = (
    "A memoized callback returns values, not tokens, which may belong to one session.",
    "A memoized callback returns whole values and no Patch. Take the value as State, change it, return it.",
)


def _check_json(value: Any, component_id: object) -> None:
    """Refuse a value that is no JSON for a component that is no ServerStore: Dash's error has no advice."""
    for part in _parts(value):
        if not isinstance(part, (str, int, float, list, tuple, dict, type(None))) and not is_json(part):
            raise WiringError(
                f"The component {component_id!r} is no ServerStore, and its data would get a "
                f"{type(part).__name__}, which is no JSON. Make it a ServerStore (in place of a dcc.Store), "
                "and the value stays on the server."
            )


def _parts(value: Any, depth: int = 2) -> Iterator[Any]:
    """Yield a value and its parts, as deep as a large value may lie."""
    yield value
    if depth and isinstance(value, (list, tuple, dict)):
        within = value.values() if isinstance(value, dict) else value
        for part in islice(within, 100):
            yield from _parts(part, depth - 1)
