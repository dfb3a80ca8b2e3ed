"""An open file or folder that is closed with its last user."""

from __future__ import annotations

import os
from collections.abc import Callable


class Descriptor:
    """Closed with the last reference to it, so that its number is not reused while anybody works with it.

    Keep it in a variable for as long as its ``number`` is used.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.number)  # a default argument: at exit, modules may be gone before this is
