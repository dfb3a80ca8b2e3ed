"""Named values, and their metadata, which is read without the values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, TypeAlias

from blake3 import blake3

from dash_brain import codec
from dash_brain.brain.mapping import NamedValues, checked_name
from dash_brain.common.polling import wait_for
from dash_brain.errors import ValueMissing, WaitTimeout
from dash_brain.stores.base import ObjectInfo, Store
from dash_brain.stores.faults import shown

#: What is known of one name.
Description: TypeAlias = dict[str, Any]


class DescribedValues(NamedValues):
    """Named values of one namespace, one by one or many at once, with what is known of each.

    Parameters
    ----------
    store
        Where the values lie.
    namespace
        Namespace of the store: ``"<domain>/<name>"``.
    ttl
        Seconds that a value lives unless ``learn`` says otherwise; None: for good.
    """

    def __init__(self, store: Store, namespace: str, *, ttl: float | None = None) -> None:
        self._opened = store
        self._within = namespace
        self._ttl = ttl

    @property
    def _store(self) -> Store:
        return self._opened

    def _fingerprint_parts(self) -> tuple[Any, ...]:
        return type(self), self._within, blake3(self._opened.secret()).digest()

    def recall(self, name: str) -> Any:
        """Return the value of ``name``, as ``brain[name]`` does.

        Raises
        ------
        ValueMissing
            When there is none; it is a ``KeyError``.
        """
        return self[name]

    def forget(self, name: str) -> None:
        """Forget ``name``; nothing happens when it is not there."""
        self._store.delete(self._within, checked_name(name))

    def exists(self, name: str) -> bool:
        """Say whether there is a value under ``name``."""
        return name in self

    def learn_many(self, things: Mapping[str, Any], *, ttl: float | None = None) -> dict[str, str]:
        """Keep every value of a mapping under its name, and return the object ids by name.

        All are encoded before the first is stored: when one of them cannot be, nothing is learned. Each
        becomes visible by itself, whole.

        Parameters
        ----------
        things
            Values by name.
        ttl
            Seconds that they live; by default that of the mapping.

        Raises
        ------
        EncodeError, BrainNameTypeError
            When a value or a name is none that can be stored; nothing is learned then.
        StoreFull
            When there is no room; those before it are learned.
        """
        ready = [
            (checked_name(name), codec.encode(thing), {"type": codec.type_name(thing)})
            for name, thing in things.items()
        ]
        return {name: self._keep(name, frames, meta, ttl) for name, frames, meta in ready}

    def recall_many(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the values of several names, by name; ``ValueMissing`` when one of them has none."""
        return {name: self[name] for name in names}

    def metadata(self, *names: str, output: Literal["dict", "list"] = "dict") -> Any:
        """Return what is known of names; no value is read.

        Parameters
        ----------
        names
            The names; without any, all there are.
        output
            How several come: a ``"dict"`` by name, or a ``"list"``.

        Returns
        -------
        dict or list
            Of one name its dict: ``name``, ``namespace``, ``description`` (empty if there is none),
            ``type``, ``object_id``, ``nbytes`` (as stored), and ``created``, ``used``, ``expires`` in seconds
            since the epoch (``expires`` is None for a value without a ttl). Of several names, or none, such
            dicts by name or in a list.

        Raises
        ------
        ValueMissing
            When a name that was given has no value.
        TypeError
            When ``output`` is another word.
        """
        if output not in ("dict", "list"):
            raise TypeError(f'output is "dict" or "list", and not {output!r}.')
        if len(names) == 1:
            return _described(self._info(names[0]))
        known = [_described(self._info(name)) for name in names] if names else list(self._descriptions())
        return known if output == "list" else {one["name"]: one for one in known}

    def knowledge(self) -> dict[str, Description]:
        """Return what is known of every name, by name: see ``metadata``."""
        return {one["name"]: one for one in self._descriptions()}

    def object_id(self, name: str) -> str:
        """Return the id of the value that ``name`` has now; another value has another id.

        Raises
        ------
        ValueMissing
            When there is none.
        """
        return self._info(name).object_id

    def object_ids(self) -> dict[str, str]:
        """Return the object id of every name, by name."""
        return {name: one["object_id"] for name, one in self.knowledge().items()}

    def ids(self) -> list[str]:
        """Return the object ids of all names, in the order of the names."""
        return list(self.object_ids().values())

    def version(self, name: str) -> str:
        """Return the version of a name, which is its object id: another value has another one.

        Raises
        ------
        ValueMissing
            When there is none.
        """
        return self.object_id(name)

    def wait(self, name: str, version: str | None, timeout: float | None = None) -> str:
        """Wait until ``name`` has another value than that of ``version``, and return its version.

        A change by any process is seen within a twentieth of a second, in Redis at once; of several changes
        in that time, the last one. While there is no value it goes on waiting.

        Parameters
        ----------
        name
            Any string.
        version
            What ``version`` or ``wait`` returned; None: wait for any value.
        timeout
            Seconds to wait at most; None: for ever.

        Raises
        ------
        WaitTimeout
            When the time is over; it is a ``TimeoutError``.

        Examples
        --------
        >>> from dash_brain.stores import MemoryStore
        >>> names = DescribedValues(MemoryStore(), "brain/default")
        >>> first, second = names.learn("price", 1.0), names.learn("price", 2.0)
        >>> names.wait("price", first, timeout=1) == second
        True
        """
        place, name = self._within, checked_name(name)

        def look() -> str | None:
            with suppress(ValueMissing):
                found = self._store.info(place, name).object_id
                return found if found != version else None
            return None

        with self._store.watching(place, name) as watch:
            newer = wait_for(look, timeout, watch.longest, watch.wait)
        if newer is None:
            raise WaitTimeout(f"There was nothing new under {shown(name)} within {timeout:g} s.")
        return newer

    def _descriptions(self) -> Iterator[Description]:
        for name, info in self._store.info_many(self._within, sorted(iter(self))):
            with suppress(ValueMissing):  # forgotten meanwhile
                yield _described(info or self._info(name))  # which raises for what is not authentic


def _described(info: ObjectInfo) -> Description:
    return {
        "name": info.key,
        "namespace": info.namespace.partition("/")[2],
        "description": info.meta.get("description", ""),
        "type": info.meta.get("type", ""),
        "object_id": info.object_id,
        "nbytes": info.nbytes,
        "created": info.created,
        "used": info.used,
        "expires": info.expires,
    }
