"""Functions whose fingerprint changes with each call, so that their results are never found again."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger("dash_brain")


class UnstableFunction:
    """Warns once when each call of a function changes its fingerprint."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._times = 0

    def compare(self, before: str, now: Callable[[], str]) -> None:
        """Note whether a computed call has changed the fingerprint; the first call may do so."""
        if self._times >= 2 or now() == before:
            return
        self._times += 1
        if self._times == 2:
            log.warning(
                "%s is computed at each call, because each call changes its fingerprint: a variable that "
                "it or a helper closes over, or an attribute, such as a counter. Keep that in a list at the "
                "top level of its module, or identify calls with key=.",
                self._name,
            )
