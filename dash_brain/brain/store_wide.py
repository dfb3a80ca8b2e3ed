"""What a ``Brain`` says of the whole store: its namespaces, and how much it may hold."""

from __future__ import annotations

from dash_brain.brain import namespaces
from dash_brain.brain.described import DescribedValues
from dash_brain.brain.namespaces import DEFAULT, within
from dash_brain.errors import BrainNamespaceNotExistError, BrainNamespaceRemoveDefaultError
from dash_brain.stores.base import needs_budget, needs_scan


class StoreWide(DescribedValues):
    """Named values of the current namespace, with all namespaces and the size of the store."""

    @property
    def namespace(self) -> str:
        """The current namespace."""
        return self._within.partition("/")[2]

    @property
    def reserved_names(self) -> list[str]:
        """The names that cannot be learned. There are none."""
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
            return sorted(iter(self))  # sorted(self) would count them before, which is another walk
        asked = sorted(self.namespaces()) if namespace == "all" else [namespace]
        scan = needs_scan(self._store).scan
        return [name for one in asked for name in sorted(scan(within(one)))]

    def namespaces(self) -> set[str]:
        """Return the namespaces that hold a value, the current one, and ``default``."""
        return {DEFAULT, self.namespace, *namespaces.found_in(self._store)}

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
        namespaces.drop(self._store, within(name))
        if name == self.namespace:
            self._within = within(DEFAULT)
        return self.namespace

    def size(self) -> int:
        """Return how many bytes the store may hold: its budget."""
        return needs_budget(self._store).budget()

    def used(self) -> int:
        """Return how many bytes all values in the store take, those of sessions and apps too.

        What was spilled to disk because shared memory was full is not among them.
        """
        return self._store.usage()

    def free(self) -> int:
        """Return how many bytes are left: ``size() - used()``, and 0 when more is used than that."""
        return max(self.size() - self.used(), 0)

    @property
    def bytes(self) -> int:
        """What ``size()`` returns."""
        return self.size()

    @property
    def mb(self) -> str:
        """What ``size()`` returns, as text such as ``"50 MB"``."""
        return f"{round(self.size() / 1_000_000)} MB"

    def resize(self, nbytes: int) -> None:
        """Let the store hold ``nbytes`` bytes, for all processes that open it. No value is lost.

        However much is asked for, shared memory gives half of ``/dev/shm`` at most, or a quarter of the
        container's memory if that is less; a folder gives half of its disk.

        Parameters
        ----------
        nbytes
            Bytes; also a text like ``"2GiB"``.

        Raises
        ------
        StoreFull
            When more is used already; nothing changes then.
        ValueError
            When it is no number of bytes.

        Examples
        --------
        >>> from dash_brain import Brain
        >>> from dash_brain.stores import MemoryStore
        >>> brain = Brain(store=MemoryStore())
        >>> brain.resize(50_000_000)
        >>> brain.mb, brain.used() + brain.free() == brain.size()
        ('50 MB', True)
        """
        needs_budget(self._store).resize(nbytes)
