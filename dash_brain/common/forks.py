"""What has to happen in a forked child before it does anything else.

A child inherits locks that threads of its parent hold, and open file descriptions that would keep the
parent's kernel locks alive after the parent's death. So an object that holds such things registers here.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """An object with locks or descriptors, which is reset in a forked child."""

    def reset_after_fork(self) -> None:
        """Drop what belongs to the parent; called in the child, which has one thread."""


_registered: weakref.WeakSet[Forkable] = weakref.WeakSet()


def reset_in_children(thing: Forkable) -> None:
    """Have ``thing.reset_after_fork()`` called in every forked child, as long as it lives."""
    _registered.add(thing)


def _reset_all() -> None:
    for thing in list(_registered):
        thing.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
