"""What the log ``dash_brain`` says: lines for people, with fields for machines.

No line holds a value, a token, a cookie or a key; a key is named by its ``kid``.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable

from dash_brain.common.throttle import Throttle

_logger = logging.getLogger("dash_brain")

#: Seconds in which a process warns of the same thing once: pages ask again and again.
EVERY = 60.0

_lately = Throttle(EVERY)
_ever = Throttle(float("inf"))
_of_stores = Throttle(float("inf"))


def inform(event: str, message: str, **facts: object) -> None:
    """Log at INFO. ``event`` and the facts are fields of the record too."""
    _logger.info(message, extra={"event": event, **facts})


def warn(
    event: str,
    reason: str,
    message: str,
    *,
    app_id: str,
    about: str = "",
    once: bool = False,
    **facts: object,
) -> None:
    """Log at WARNING, unless this process warned of the same event for the same reason lately.

    ``once``: or ever. ``about`` is what it happened to, as the app declares it. Facts that a client can
    choose are no part of "the same": nobody can flood the log with them.
    """
    same = (event, reason, app_id, about)
    warned = _ever if once else _lately
    if same not in warned:
        warned.note(same)
        fields = {"event": event, "reason": reason, "app_id": app_id, **facts}
        _logger.warning(f"{message} [{event}: {reason}]", extra=fields)


def warn_of_store(same: Hashable, message: str) -> None:
    """Log at WARNING what concerns a store, unless this process ever did for the same reason."""
    if same not in _of_stores:
        _of_stores.note(same)
        _logger.warning("%s", message)


def forget() -> None:
    """Warn of everything again, as a fresh process does."""
    _lately.forget()
    _ever.forget()
