"""A back end for ``Serverside`` values of dash-extensions."""

from __future__ import annotations

from typing import Any

from dash_extensions.enrich import ServersideBackend  # type: ignore[import-untyped]

from dash_brain.adapters.values import Values
from dash_brain.stores import Store

#: Seconds that a value lives unless another time is given: as that of RedisBackend.
DAY = 24 * 3600.0


class BrainBackend(ServersideBackend):  # type: ignore[misc]
    """Keeps what ``Serverside`` wraps in a store of dash_brain, without a copy for each reader.

    Parameters
    ----------
    name
        Name of the back end; those with one name and store share their values.
    store
        A store or its URL; by default the one of ``configure()``.
    ttl
        Seconds that a value lives, None: for good. One that has expired is gone: ``ignore_expired``, which
        dash-extensions asks for, would need it to be kept.

    Examples
    --------
    >>> from dash_brain.adapters.dash_extensions import BrainBackend
    >>> from dash_extensions.enrich import DashProxy, ServersideOutputTransform
    >>> app = DashProxy(transforms=[ServersideOutputTransform(backends=[BrainBackend()])])
    """

    def __init__(
        self, name: str = "default", store: Store | str | None = None, ttl: float | None = DAY
    ) -> None:
        self._name = name
        self._ttl = ttl
        self._values = Values(store, f"serverside/{name}")

    def get(self, key: str | None, ignore_expired: bool = False) -> Any:
        """Return the value of a key, private to the caller; ``ValueMissing`` when it is gone."""
        return None if key is None else self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        self._values.put(key, value, self._ttl)

    def has(self, key: str) -> bool:
        """Say whether there is a value."""
        return self._values.has(key)

    @property
    def uid(self) -> str:
        """The name by which tokens of dash-extensions find the back end."""
        return f"{type(self).__name__}:{self._name}"
