"""The declared inputs, states and outputs of a callback, and the check of requests against them."""

from __future__ import annotations

from contextlib import suppress
from operator import itemgetter
from typing import Any

from dash.dependencies import ALL, ALLSMALLER, DashDependency

from dash_brain.errors import BadId, BadToken
from dash_brain.web import component_ids
from dash_brain.web.dash_internals import clean_property_name, flatten_grouping, map_grouping

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


class Dependency:
    """One declared input, state or output, with what is computed once at registration.

    Attributes
    ----------
    dependency
        What the user wrote.
    name
        Its id, as canonical text; None when no component can have it.
    property
        Name of the component's property.
    prop_id
        ``id.property``, as Dash names it, when that is one component whose id is a string; else None.
    is_data
        Whether it may be that of a ServerStore.
    """

    __slots__ = ("_is_many", "dependency", "is_data", "name", "prop_id", "property")

    def __init__(self, dependency: DashDependency) -> None:
        self.dependency = dependency
        self.property: str = dependency.component_property
        self.name: str | None = None
        with suppress(BadId):
            self.name = component_ids.canonical(dependency.component_id)
        # CycleBreakerInput of dash-extensions is declared as the breaker's own input.
        is_breaker = self.property == "dst" and component_ids.repeated(dependency.component_id) is not None
        self.is_data = self.property == "data" or is_breaker
        self._is_many = stands_for_many(dependency)
        is_plain = self.name is not None and not self.name.startswith("{") and "." not in self.property
        self.prop_id = f"{self.name}.{self.property}" if is_plain else None

    def takes(self, leaf: Any) -> bool:
        """Say whether one part of a request fits this declaration."""
        if (
            self.prop_id is not None
            and isinstance(leaf, dict)
            and leaf.get("property") == self.property
            and leaf.get("id") == self.name
        ):
            return True  # the common case; what follows would give the same answer
        return isinstance(leaf, list) == self._is_many and all(
            isinstance(one, dict) and self._asks_for(one) for one in listed(leaf)
        )

    def _asks_for(self, leaf: dict[str, Any]) -> bool:
        name, declared = leaf.get("property"), self.dependency
        if declared.allow_duplicate and isinstance(name, str):
            name = clean_property_name(name)
        if name != self.property:
            return False
        if declared.allow_optional and declared.has_wildcard() and leaf.get("value") is None:
            return True  # the page has no id for a component that is not there
        return self._fits(leaf.get("id"))

    def _fits(self, component_id: object) -> bool:
        try:
            return self.name is not None and component_ids.matches(
                component_ids.canonical_sent(component_id), self.name
            )
        except BadId:
            return False

    def is_of(self, trigger: Any) -> bool:
        """Say whether a trigger, which a page names ``id.property``, is this dependency."""
        component_id, _, name = str(trigger["prop_id"]).rpartition(".")
        try:
            return name == self.property and self._fits(component_ids.parse(component_id))
        except BadId:
            return False


class Inputs:
    """The declared inputs and states of a callback.

    Parameters
    ----------
    dependencies
        Inputs and states.
    indices
        Their grouping as arguments: dicts, lists and positions.
    """

    def __init__(self, dependencies: list[DashDependency], indices: Any) -> None:
        self.dependencies = dependencies
        self.indices = indices
        self.declared = list(map(Dependency, dependencies))
        each = [indices] if isinstance(indices, int) else indices
        is_flat = isinstance(each, (list, tuple)) and all(isinstance(one, int) for one in each)
        #: The position of each argument, where they are one argument or a plain list.
        self.flat: list[int] | None = list(each) if is_flat else None
        #: The declaration of each place in a context: in the lists of inputs and states, and in the grouping.
        self.places = [*self.declared, *(self.declared[index] for index in flatten_grouping(indices))]
        self._prop_ids = {one.prop_id for one in self.declared}

    def check(self, leaves: list[Any], triggers: Any) -> None:
        """Check the inputs, states and triggers of a request against the declared ones.

        Raises
        ------
        BadToken
            When they do not fit.
        """
        if len(leaves) != len(self.declared) or not all(map(Dependency.takes, self.declared, leaves)):
            raise BadToken(f"The request does not fit the inputs and states of this callback.{_SAME_ID}")
        for trigger in triggers:
            is_one = isinstance(trigger["prop_id"], str) and trigger["prop_id"] in self._prop_ids
            if not is_one and not any(one.is_of(trigger) for one in self.declared):
                raise BadToken("The request names a trigger that is none of the inputs of this callback.")

    def arguments(self, values: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of the function, of values in the order of declaration."""
        if self.flat is not None:  # the common case
            return tuple(map(values.__getitem__, self.flat)), {}
        grouped = map_grouping(values.__getitem__, self.indices)
        if isinstance(self.indices, dict):
            return (), grouped
        return tuple(grouped), {}


class Outputs:
    """The declared outputs of a callback: ``schema`` is an ``Output``, or a list or dict of them."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.is_single = not isinstance(schema, (list, tuple, dict))
        self.declared = list(map(Dependency, [schema] if self.is_single else flatten_grouping(schema)))
        self.may_have_tokens = any(one.is_data for one in self.declared)

    def checked(self, specs: Any) -> list[Any]:
        """Return the concrete outputs of a request, Dash's ``outputs_list``, one for each declared output.

        Raises
        ------
        BadToken
            When they do not fit: a client may send anything.
        """
        asked = [specs] if self.is_single else specs or []
        is_whole = isinstance(asked, list) and len(asked) == len(self.declared)
        if not is_whole or not all(map(Dependency.takes, self.declared, asked)):
            raise BadToken("The request does not fit the outputs of this callback.")
        return asked


def listed(leaf: Any) -> list[Any]:
    """Return the single properties in one place of a request."""
    return leaf if isinstance(leaf, list) else [leaf]


def in_declared_order(indices: Any, grouped: Any) -> list[Any]:
    """Return grouped inputs and states in the order of declaration."""
    if isinstance(indices, int):
        return [grouped]
    pairs = zip(flatten_grouping(indices), flatten_grouping(grouped, indices), strict=True)
    return [value for _, value in sorted(pairs, key=itemgetter(0))]
