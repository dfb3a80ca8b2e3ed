"""No session takes more than its quota: it makes room among its own objects first."""

from __future__ import annotations

from dash_brain.stores import accounts, candidates
from dash_brain.stores.faults import beyond_quota
from dash_brain.stores.folder import Root
from dash_brain.stores.places import account_of
from dash_brain.stores.removing import evict_entry
from dash_brain.stores.waiting import WRITING, moments


def charge(root: Root, path: str, nbytes: int, quota: int | None, now: float) -> None:
    """Add an object that is to be written to the account that it belongs to, if any.

    Raises
    ------
    StoreFull
        When the account has no room for it even if all else in it went that may.
    """
    account = account_of(path)
    if account is None or accounts.add(root, account, nbytes, quota):
        return
    assert quota is not None, "without a quota there is room"
    # Other workers may put for the same session meanwhile.
    for _ in moments(WRITING):
        replaced = root.look(path)
        most = quota + (replaced.nbytes if replaced is not None else 0)
        if accounts.add(root, account, nbytes, most):
            return
        surplus = accounts.total(root, account) + nbytes - most
        if not _evict_own(root, account, path, surplus, quota // 16, now) and (
            nbytes + candidates.kept(root, accounts.folders_of(account), now, path, spilled=True) > quota
        ):
            break
    raise beyond_quota(nbytes, quota)


def _evict_own(root: Root, account: str, path: str, surplus: int, slack: int, now: float) -> bool:
    """Evict the surplus of an account and some more of its own objects; say whether there was so much."""
    going = candidates.in_order(root, accounts.folders_of(account), now, path, spilled=True)
    if candidates.total(going) < surplus:
        return False
    freed = 0
    for candidate in going:
        if freed >= surplus + slack:
            break
        if evict_entry(root, candidate.path, candidate.entry, now):
            freed += candidate.entry.nbytes
    return True
