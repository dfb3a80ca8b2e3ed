"""The URL of a store beyond a network says whether there are near copies, and how many bytes of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from dash_brain.stores.base import Store
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.near_copy.copies import CopyStore
from dash_brain.stores.near_copy.store import NearCopy

_OURS = ("near", "when_down")


def open_far(url: str, open_store: Callable[[str], Store]) -> Store:
    """Return the store of a URL with near copies, unless it says ``near=off``.

    Parameters
    ----------
    url
        ``?near=512MB`` is the budget of the near copies of a host, by default that of ``shm://``;
        ``?when_down=near``: see :class:`NearCopy`.
    open_store
        Opens the store itself; it is given the URL without these options.
    """
    base, _, query = url.partition("?")
    pieces = [piece for piece in query.split("&") if piece]
    near = dict(parse_qsl("&".join(one for one in pieces if _is_ours(one)), keep_blank_values=True))
    far = open_store("?".join(filter(None, (base, "&".join(one for one in pieces if not _is_ours(one))))))
    when_down = near.get("when_down", "raise")
    if near.get("near") == "off" or not platform.SUPPORTED:
        if when_down != "raise":
            raise ValueError("when_down=near needs near copies, and there are none.")
        return far
    return NearCopy(far, CopyStore(f"near-{_fingerprint(url)}", size=near.get("near")), when_down=when_down)


def _is_ours(piece: str) -> bool:
    return piece.partition("=")[0] in _OURS


def _fingerprint(url: str) -> str:
    """Return a name for where a URL leads, without its credentials; equal for equal places."""
    parts = urlsplit(url)
    database = re.search(r"(?:^|&)db=(\d+)", parts.query)
    place = f"{parts.netloc.rpartition('@')[2]}{parts.path}#{database[1] if database else ''}"
    return hashlib.sha256(place.encode()).hexdigest()[:16]
