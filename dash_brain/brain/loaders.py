"""Which loader made a value that was preloaded, and whether that is the one that asks for it now."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable
from typing import Any

from dash_brain.errors import EncodeError, ValueMissing
from dash_brain.memo import fingerprints
from dash_brain.stores.base import ABSENT, ObjectInfo
from dash_brain.stores.faults import shown

#: Under this key the metadata of a value has the fingerprint of its loader.
_KEY = "loader"
_UNKNOWN = "unknown"

log = logging.getLogger("dash_brain")


class Loader:
    """The function that one call of ``Brain.preload`` was given.

    Attributes
    ----------
    meta
        What is kept with a value that it makes.
    replaces
        The object id of the value that another loader made, to be replaced by what this one makes.
    """

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        if inspect.iscoroutinefunction(make):
            raise TypeError(
                "preload waits for the value: give it a function, like lambda: asyncio.run(load())."
            )
        self._name, self._begun, self._why = shown(name), time.time(), ""
        try:
            self._fingerprint = fingerprints.of_function(make)
        except EncodeError as error:
            self._fingerprint, self._why = _UNKNOWN, f" ({error.__cause__ or error})"
        self.meta = {_KEY: self._fingerprint}
        self.replaces = ABSENT

    def check(self, info: ObjectInfo) -> None:
        """Check who made the value that is there: one of another loader counts as missing, to be replaced.

        A value that was stored after this call began is served, whichever loader made it: so workers with
        different loaders do not replace it in turn. An assigned value has no loader, and is served too.

        Raises
        ------
        ValueMissing
            When it is to be replaced.
        """
        made_by = info.meta.get(_KEY)
        is_older = not self._begun <= info.created <= time.time()  # the clock may have been ahead
        if made_by == self._fingerprint != _UNKNOWN:
            return
        there = f"preload serves the value of {self._name} from {_shown_time(info.created)}"
        if made_by is None:
            log.info("%s, which was assigned; its loader was not called.", there)
        elif _UNKNOWN not in (made_by, self._fingerprint):
            if is_older:
                self.replaces = info.object_id
                raise ValueMissing(f"Another loader made the value of {self._name}.")
            log.warning("%s, which another version of its loader made meanwhile.", there)
        elif is_older:
            log.warning(
                "%s. Whether its loader was edited since cannot be told%s; if it was, brain.forget(%s) "
                "lets the next start call it.",
                there,
                self._why,
                self._name,
            )


def _shown_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
