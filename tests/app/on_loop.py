"""A store that notes what is asked of it on the event loop of a server, which has to wait for the answer."""

from __future__ import annotations

import asyncio
import threading
from functools import wraps
from typing import Any

from dash_brain.stores import Store, StoreWrapper

VERBS = (
    *("put", "get", "info", "info_many", "exists", "touch", "touch_many", "delete", "drop", "lock"),
    *("scan", "namespaces", "usage", "look_ahead", "watching"),
)


class Noting(StoreWrapper):
    """Notes the verb and the domain."""

    def __init__(self, wrapped: Store) -> None:
        super().__init__(wrapped)
        self.noted: list[str] = []


def _noting(verb: str) -> Any:
    original = getattr(StoreWrapper, verb)

    @wraps(original)
    def call(self: Noting, *args: Any, **options: Any) -> Any:
        if _is_on_loop():
            self.noted.append(f"{verb} {str(args and args[0]).partition('/')[0]}")
        return original(self, *args, **options)

    return call


for _verb in VERBS:
    setattr(Noting, _verb, _noting(_verb))


def _is_on_loop() -> bool:
    """Say whether this is the thread of the server's event loop, and not that of a loop beside it."""
    if threading.current_thread() is not threading.main_thread():
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
