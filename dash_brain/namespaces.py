"""Namespaces: names of one are apart from those of another, and a mapping can move between them."""

from __future__ import annotations

from dash_brain.described import DescribedNames
from dash_brain.errors import (
    BrainNamespaceNameError,
    BrainNamespaceNotExistError,
    BrainNamespaceRemoveDefaultError,
)
from dash_brain.names import results_of
from dash_brain.stores.base import needs_scan
from dash_brain.stores.mapped.volume.quoting import to_bytes

DEFAULT = "default"

_DOMAIN = "brain"
_LONGEST = 255


class Namespaces(DescribedNames):
    """Named values in one namespace at a time; session and app data are in none of them.

    A namespace is there while it holds a value, or is the current one of whoever asks; ``default`` always
    is. Nobody keeps a list of them, so there is none that two processes could disagree about.
    """

    @property
    def namespace(self) -> str:
        """The current namespace."""
        return self._within.partition("/")[2]

    @property
    def reserved_names(self) -> list[str]:
        """The names that cannot be learned: none."""
        return []

    def names(self, namespace: str | None = None) -> list[str]:
        """Return the names of a namespace, sorted.

        Parameters
        ----------
        namespace
            By default the current one. ``"all"``: the names of every namespace, one namespace after the
            other; a name that is in several is there as often.
        """
        if namespace is None:
            return sorted(self)
        asked = sorted(self.namespaces()) if namespace == "all" else [namespace]
        scan = needs_scan(self._store).scan
        return [name for one in asked for name in sorted(scan(within(one)))]

    def namespaces(self) -> set[str]:
        """Return the namespaces that hold a value, the current one, and ``default``."""
        found = needs_scan(self._store).namespaces(_DOMAIN)
        return {DEFAULT, self.namespace, *(one.partition("/")[2] for one in found)}

    def set_namespace(self, name: str | None = None) -> str:
        """Make ``name`` the current namespace, and return which is current now.

        It is so for all threads that use this very object; give each its own with ``view``.

        Parameters
        ----------
        name
            Any text of 1 to 255 bytes; None changes nothing.

        Raises
        ------
        BrainNamespaceNameError
            When the namespace is no such text; the current one stays.
        """
        _ = self._store  # a Brain that is asleep says so
        if name is not None:
            self._within = within(name)
        return self.namespace

    def remove_namespace(self, name: str | None = None) -> str:
        """Forget a namespace with its names and memoized results, and return which is current now.

        Parameters
        ----------
        name
            By default the current one. Who removes the current one is in ``default`` afterwards.

        Raises
        ------
        BrainNamespaceRemoveDefaultError
            For ``default``, which stays.
        BrainNamespaceNotExistError
            When there is no such namespace.
        """
        name = self.namespace if name is None else name
        if name == DEFAULT:
            raise BrainNamespaceRemoveDefaultError(f"The namespace {DEFAULT!r} stays; clear() empties it.")
        if name not in self.namespaces():
            raise BrainNamespaceNotExistError(f"There is no namespace {name!r}; namespaces() lists them.")
        self._store.drop(within(name))
        self._store.drop(results_of(within(name)))
        if name == self.namespace:
            self._within = within(DEFAULT)
        return self.namespace


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
