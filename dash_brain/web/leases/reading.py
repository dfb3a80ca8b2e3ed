"""Reading renews: what callbacks go on reading lives on, even where no page's claim ever arrives."""

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
from dash_brain.web.memo import recipes
from dash_brain.web.sessions import Visit
from dash_brain.web.tokens import Verified

#: Seconds in which a process looks once at how long a value that is read will live.
EVERY = 60.0

_looked = Throttle(EVERY)


def renew(visit: Visit, found: Verified, component: str = "") -> None:
    """Let a value that is being read live on, but not one that the pages of its session let go of.

    ``component`` is the ServerStore that its token came from, if it came from one. Where claims arrive there
    is nothing to renew: they last for longer.
    """
    if found not in _looked:
        _looked.note(found)
        with suppress(ValueMissing, StoreError):  # whoever reads learns of it
            if _renewed(current.use(), found) and component and not is_api_call():
                _warn_of_silence(visit, component)


def forget() -> None:
    """Look at every value again, as a fresh process does."""
    _looked.forget()


def _renewed(settings: Settings, found: Verified) -> bool:
    """Let an object live on if its time is short, and say whether that was so."""
    if recipes.is_memoized(found):
        recipes.lease(settings.store, found, UNCLAIMED)
        return False
    expires = settings.store.info(*found).expires
    if expires is None:
        return False
    # What was let go of has a grace at most.
    if not min(settings.grace, UNCLAIMED / 2) < expires - time.time() < UNCLAIMED - EVERY:
        return False
    settings.store.touch(*found, UNCLAIMED)
    return True


def _warn_of_silence(visit: Visit, component: str) -> None:
    if not is_claimed(visit):
        warn("no_claims", "silence", _SILENCE.format(component=component), app_id=visit.app_id, once=True)


def is_claimed(visit: Visit) -> bool:
    """Say whether a page of the session that asks is known to claim what it holds, or did lately."""
    return visit.session is None or bool(Holders(visit).pages())


def why_expired(visit: Visit, found: Verified) -> str:
    """Return why a value of a session expired, "" for one that had a ttl of its own."""
    if found.namespace != visit.namespaces.get("session"):
        return ""
    with suppress(StoreError):
        if not is_claimed(visit):
            return _UNCLAIMED
    return _LET_GO


_LET_GO = (
    "no page held it any more (it was replaced or cleared, or its page was left), or the browser was not "
    "heard of for an hour"
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
