"""Functions that are another function after each call, whose results are therefore never found again."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger("dash_brain")


class Changing:
    """Says once that each call of a function changes what it is known by."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._times = 0

    def compare(self, before: str, now: Callable[[], str]) -> None:
        """Note whether a call that was computed has changed the function; the first may prepare something."""
        if self._times >= 2 or now() == before:
            return
        self._times += 1
        if self._times == 2:
            log.warning(
                "%s is computed at each call, for calling it changes what belongs to it: what it or a helper "
                "closes over or holds, such as a counter. Keep that in a list at the top level of its "
                "module, or say with key= what identifies a call.",
                self._name,
            )
