"""Reading renews a lease: a value that callbacks read lives on, also where no claim of a page arrives."""

from __future__ import annotations

import time
from contextlib import suppress

from dash_brain.common.log import warn
from dash_brain.common.throttle import Throttle
from dash_brain.errors import StoreError, ValueMissing
from dash_brain.settings import Settings, current
from dash_brain.web.dash_internals import is_api_call
from dash_brain.web.leases import UNCLAIMED
from dash_brain.web.leases.holders import Holders
from dash_brain.web.recipes import recompute
from dash_brain.web.sessions import Caller
from dash_brain.web.tokens import Verified

#: Seconds between two checks of the lease of one value by a process.
EVERY = 60.0

_looked = Throttle(EVERY)


def renew(caller: Caller, found: Verified, component: str = "") -> None:
    """Renew the lease of a value that is being read, unless the pages of its session released it.

    ``component`` is the ServerStore that its token came from, if it came from one. A claim lasts for longer,
    so there is nothing to renew where claims arrive.
    """
    if found not in _looked:
        _looked.note(found)
        with suppress(ValueMissing, StoreError):  # the read itself raises it
            if _renewed(current.use(), found) and component and not is_api_call():
                _warn_of_silence(caller, component)


def forget() -> None:
    """Forget which leases were checked, as in a new process."""
    _looked.forget()


def _renewed(settings: Settings, found: Verified) -> bool:
    """Renew the lease of an object if it is short, and say whether it was."""
    if recompute.is_memoized(found):
        recompute.lease(settings.store, found, UNCLAIMED)
        return False
    expires = settings.store.info(*found).expires
    if expires is None:
        return False
    # What was released has the grace at most.
    if not min(settings.grace, UNCLAIMED / 2) < expires - time.time() < UNCLAIMED - EVERY:
        return False
    settings.store.touch(*found, UNCLAIMED)
    return True


def _warn_of_silence(caller: Caller, component: str) -> None:
    if not is_claimed(caller):
        warn("no_claims", "silence", _SILENCE.format(component=component), app_id=caller.app_id, once=True)


def is_claimed(caller: Caller) -> bool:
    """Say whether a page of the caller's session claims, or did lately."""
    return caller.session is None or bool(Holders(caller).pages())


def why_expired(caller: Caller, found: Verified) -> str:
    """Return why the lease of a session's value expired, "" for a value without one."""
    if found.namespace != caller.namespaces.get("session"):
        return ""
    with suppress(StoreError):
        if not is_claimed(caller):
            return _UNCLAIMED
    return _LET_GO


_LET_GO = (
    "no page held it any more (it was replaced or cleared, or its page was left), or no claim of its page "
    "arrived for an hour"
)
_UNCLAIMED = (
    "no page of the session claimed it, and no callback read it, in time. The browser slept for an hour, or "
    "its claims do not arrive: requests to _dash-update-component with the header X-Dash-Brain. The log says "
    "if they are refused, or never come"
)
_SILENCE = (
    "No page of the session claims what it holds, though callbacks read ServerStore {component!r}: its "
    "values live on for ten minutes after they are read, and no longer. Pages claim by POST requests to "
    "_dash-update-component with the header X-Dash-Brain: claim, which server_store.js sends. Have proxies "
    "and firewalls pass that header on, and see in the browser's console how those requests are answered. "
    "Clients without a browser, as in load tests, claim nothing."
)
