"""The keys that authenticate what lies in Redis: they are given, and never lie there themselves."""

from __future__ import annotations

from collections.abc import Sequence

from dash_brain.common import signing
from dash_brain.common.signing import KeyRing, master_from
from dash_brain.errors import StoreUnavailable


def key_ring(given: str | bytes | Sequence[str | bytes] | None) -> KeyRing:
    """Return the keys of a store: those given to it, else those of the configuration of this process.

    Raises
    ------
    StoreUnavailable
        When there is none.
    """
    secrets = (given,) if isinstance(given, (str, bytes)) else tuple(given or ())
    masters = tuple(map(master_from, secrets)) or signing.configured()
    if not masters:
        raise StoreUnavailable(
            "Values in Redis are signed, and there is no key. Give all processes the same one: "
            "DASH_BRAIN_KEY, configure(key=...), or the SECRET_KEY of an app's Flask server. To make one: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return KeyRing(masters)
