"""Values that a session got for one ServerStore again and again, and that no page claims.

A page claims what it holds, and lets go of what it held before. Whoever never claims (a load test, a script)
would leave each value for as long as a page has to claim it: ten plots of a session take 500 MB. So of those
that a worker stored for one store of a session only the newest few are waited for.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from contextlib import suppress

from dash_brain.errors import StoreError, ValueMissing
from dash_brain.web.leases.holders import Holders
from dash_brain.web.sessions import Visit

#: So many of a session and a store may wait for their page at once: those of a few tabs.
KEPT = 4
#: So many stores of sessions are remembered; of those that are not, values wait for as long as they may.
_STORES = 10_000

_newest: OrderedDict[tuple[str, str], deque[str]] = OrderedDict()


def note(visit: Visit, store_id: str, object_id: str, unclaimed: float) -> None:
    """Note a new value of a store, and let go of what was superseded and that nobody claimed.

    Parameters
    ----------
    visit
        Whose it is.
    store_id
        The ServerStore's.
    object_id
        The value's.
    unclaimed
        Seconds that a value waits for its page.
    """
    where = visit.namespace("session"), store_id
    newest = _newest.setdefault(where, deque())
    _newest.move_to_end(where)
    newest.append(object_id)
    if len(_newest) > _STORES:
        _newest.popitem(last=False)
    if len(newest) > KEPT:
        with suppress(StoreError, ValueMissing):  # it waits for as long as it may, or it is gone already
            _let_go(Holders(visit), newest.popleft(), unclaimed)


def _let_go(holders: Holders, object_id: str, unclaimed: float) -> None:
    found = holders.settings.store.info(holders.objects, object_id)
    if (found.expires or 0.0) - found.created <= unclaimed:  # else it is claimed
        with holders.lock():
            holders.let_go([object_id], holders.settings.grace)
