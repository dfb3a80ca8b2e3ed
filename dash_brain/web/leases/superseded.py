"""Superseded values: older ones of the same ServerStore and session that no page has claimed.

Each value of a client that never claims (a load test, a script) would stay in the store for as long as a page
may wait to claim it. So of the unclaimed values that a worker stored for one ServerStore of a session, only
the newest few stay that long.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from contextlib import suppress

from dash_brain.errors import StoreError, ValueMissing
from dash_brain.web.leases.holders import Holders
from dash_brain.web.sessions import Caller

#: Unclaimed values of one ServerStore and session that are kept: those of a few tabs.
KEPT = 4
#: ServerStores of sessions that are remembered. Values of others live until their lease ends.
_STORES = 10_000

_newest: OrderedDict[tuple[str, str], deque[str]] = OrderedDict()


def note(caller: Caller, store_id: str, object_id: str, unclaimed: float) -> None:
    """Note a new value of a ServerStore, and release a superseded one that no page claimed.

    Parameters
    ----------
    caller
        The session.
    store_id
        Canonical id of the ServerStore.
    object_id
        Object id of the value.
    unclaimed
        Seconds that an unclaimed value lives.
    """
    where = caller.namespaces["session"], store_id
    newest = _newest.setdefault(where, deque())
    _newest.move_to_end(where)
    newest.append(object_id)
    if len(_newest) > _STORES:
        _newest.popitem(last=False)
    if len(newest) > KEPT:
        with suppress(StoreError, ValueMissing):  # it lives until its lease ends, or it is gone already
            _let_go(Holders(caller), newest.popleft(), unclaimed)


def _let_go(holders: Holders, object_id: str, unclaimed: float) -> None:
    found = holders.settings.store.info(holders.objects, object_id)
    if (found.expires or 0.0) - found.created <= unclaimed:  # else it is claimed
        with holders.lock():
            holders.let_go([object_id], holders.settings.grace)
