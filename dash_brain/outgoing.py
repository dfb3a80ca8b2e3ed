"""Results of a callback: a value for a ServerStore stays here, its token goes to the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from dash import Output, Patch
from dash.exceptions import InvalidCallbackReturnValue

from dash_brain.errors import BadToken
from dash_brain.exchange import discard, mint, registry, store_value
from dash_brain.internals import (
    clean_property_name,
    flatten_grouping,
    is_no_update,
    make_grouping_by_index,
    stringify_id,
)
from dash_brain.memoizing.records import Held
from dash_brain.patterns import asks_for, pattern_of, stands_for_many
from dash_brain.server_store import ServerOutput
from dash_brain.sessions import Visit
from dash_brain.tokens import Token


def server_store_ids(context: Any, schema: Any, visit: Visit) -> Iterator[str]:
    """Yield the ids of the ServerStores among the concrete outputs of a call."""
    single = not isinstance(schema, (list, tuple, dict))
    specs = [context.outputs_list] if single else context.outputs_list or []
    for spec, flags in zip(specs, server_store_outputs(context, schema, visit), strict=True):
        for one, is_server_store in zip(_listed(spec), flags, strict=True):
            if is_server_store:
                yield stringify_id(one["id"])


def server_store_outputs(context: Any, schema: Any, visit: Visit) -> list[list[bool]]:
    """Return, for each declared output, which of its concrete ones are data of a ServerStore.

    Raises
    ------
    BadToken
        When what was sent is not for the declared outputs.
    """
    single = not isinstance(schema, (list, tuple, dict))
    outputs = [schema] if single else flatten_grouping(schema)
    specs = [context.outputs_list] if single else context.outputs_list or []
    if len(specs) != len(outputs) or not all(map(_asks_for, specs, outputs)):
        raise BadToken("The request does not fit the outputs of this callback.")
    stores = registry(visit)
    return [
        [
            clean_property_name(one["property"]) == "data" and stores.includes(one["id"], pattern_of(output))
            for one in _listed(spec)
        ]
        for spec, output in zip(specs, outputs, strict=True)
    ]


def _asks_for(spec: Any, output: Output) -> bool:
    """Say whether what a browser asks for is the declared output."""
    return isinstance(spec, list) == stands_for_many(output) and all(
        asks_for({**one, "property": clean_property_name(one["property"])}, output) for one in _listed(spec)
    )


def _listed(spec: Any) -> list[Any]:
    return spec if isinstance(spec, list) else [spec]


class Outgoing:
    """The results of one call, for one visit.

    Parameters
    ----------
    visit
        Who asks whom.
    keep
        Keeps a value and returns what stands for it; by default in the session, and its token.
    """

    def __init__(self, visit: Visit, keep: Callable[[Any], Token | Held] | None = None) -> None:
        self._visit = visit
        self._keep = keep
        self._stores = registry(visit)
        self._minted: dict[int, tuple[Any, Token | Held]] = {}

    def outputs(self, result: Any, specs: Any, schema: Any) -> Any:
        """Return a callback's result with tokens in it.

        Parameters
        ----------
        result
            What the function returned.
        specs
            The concrete outputs of this call, as Dash lists them in ``outputs_list``.
        schema
            The declared outputs: an ``Output``, or a list or dict of them.
        """
        if is_no_update(result) or not specs:
            return result
        if not isinstance(schema, (list, tuple, dict)):
            return self._leaf(result, specs, schema)
        try:
            values = flatten_grouping(result, schema)
        except InvalidCallbackReturnValue:
            return result  # left to Dash, which says best what does not fit
        return make_grouping_by_index(schema, list(map(self._leaf, values, specs, flatten_grouping(schema))))

    def declared(self, value: Any, output: Output) -> Any:
        """Return what goes to a declared output without wildcards."""
        return self._leaf(value, {"id": output.component_id, "property": output.component_property}, output)

    def side_updates(self, updates: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return what ``set_props`` collected during the call with tokens in it."""
        return {component_id: self.props(component_id, props) for component_id, props in updates.items()}

    def props(self, component_id: Any, props: dict[str, Any]) -> dict[str, Any]:
        """Return the properties of one component with tokens in them."""
        return {
            name: self._single(value, {"id": component_id, "property": name}) for name, value in props.items()
        }

    def undo(self) -> None:
        """Delete what this call stored: its tokens will reach nobody."""
        for _, token in self._minted.values():
            if isinstance(token, Token):
                discard(self._visit, token)
        self._minted.clear()

    def _leaf(self, value: Any, spec: Any, output: Output) -> Any:
        """Return what goes to one declared output: a list of values when its id has wildcards."""
        pattern = pattern_of(output)
        if isinstance(output, ServerOutput):
            self._stores.add(cast("str | dict[str, Any]", output.component_id))
        if not isinstance(spec, list):
            return self._single(value, spec, pattern)
        if not isinstance(value, (list, tuple)) or len(value) != len(spec):
            return value  # left to Dash, which says best what does not fit
        return [self._single(one, one_spec, pattern) for one, one_spec in zip(value, spec, strict=True)]

    def _single(self, value: Any, spec: dict[str, Any], pattern: str | None = None) -> Any:
        if isinstance(value, Held):
            return mint(self._visit, value)
        if clean_property_name(spec["property"]) != "data":
            return value
        if not self._stores.includes(spec["id"], pattern):
            return value
        if isinstance(value, Patch):
            raise TypeError(
                f"A Patch cannot change ServerStore {spec['id']!r}, whose value is on the server. Take the "
                "value as State, change it, and return it."
            )
        if isinstance(value, Token) and self._keep is not None:
            raise TypeError("A memoized callback returns values, and no tokens: those may be of one session.")
        if value is None or isinstance(value, Token) or is_no_update(value):
            return value
        return self._token(value)

    def _token(self, value: Any) -> Token | Held:
        """Return the value's token; one that is returned for two stores is stored once."""
        keep = self._keep or (lambda value: store_value(self._visit, value))
        if id(value) not in self._minted:
            # The value is kept beside its token, so that its id stays its own.
            self._minted[id(value)] = (value, keep(value))
        return self._minted[id(value)][1]
