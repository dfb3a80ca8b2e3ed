"""Where the names of a namespace, and what is memoized beside them, lie in a store."""

from __future__ import annotations

from dash_brain.errors import BrainNamespaceNameError
from dash_brain.stores.base import Store, needs_scan
from dash_brain.stores.mapped.volume.quoting import to_bytes

DEFAULT = "default"

_DOMAIN = "brain"
_RESULTS = "memo"
_LONGEST = 255


def within(namespace: object) -> str:
    """Return where the names of a namespace lie in a store, or raise ``BrainNamespaceNameError``.

    Examples
    --------
    >>> within("orders")
    'brain/orders'
    """
    if isinstance(namespace, str) and 0 < len(to_bytes(namespace)) <= _LONGEST:
        return f"{_DOMAIN}/{namespace}"
    raise BrainNamespaceNameError(f"A namespace is a text of 1 to {_LONGEST} bytes.")


def results_of(place: str) -> str:
    """Return where the results lie that are memoized beside the names of a place.

    Examples
    --------
    >>> results_of("brain/orders")
    'memo/brain/orders'
    """
    return f"{_RESULTS}/{place}"


def found_in(store: Store) -> set[str]:
    """Return the namespaces that hold a value."""
    return {place.partition("/")[2] for place in needs_scan(store).namespaces(_DOMAIN)}


def drop(store: Store, place: str) -> None:
    """Forget the names of a place, and what is memoized beside them."""
    store.drop(place)
    store.drop(results_of(place))


def drop_all(store: Store) -> None:
    """Forget all names and what is memoized beside them; data of sessions and apps stays."""
    for namespace in found_in(store):
        store.drop(within(namespace))
    for results in needs_scan(store).namespaces(_RESULTS):
        if results.startswith(results_of(f"{_DOMAIN}/")):
            store.drop(results)
