"""Leases: a session's value lives while a page or a background job claims it, or callbacks read it.

A lease is the ttl of an object. Each holder claims its objects again and again, which renews their leases.
All other objects expire, so nothing has to walk over sessions.

A claim of a page is sent by ``server_store.js``, arrives in ``route``, is parsed by ``claim``, and renews and
shortens leases in ``pages``. ``jobs`` has the claims of background jobs, ``reading`` what a read renews, and
``holders`` the notes of who holds what. ``superseded`` releases values that no page claimed, when newer ones
of the same ServerStore follow.
"""

from typing import Final

from dash_brain.stores import namespaces

#: Seconds in which a page has to claim a new object; otherwise its response was superseded. Reading an object
#: renews it for as long.
UNCLAIMED: Final = namespaces.UNCLAIMED

#: Seconds that an object lives after the last claim. Pages claim every few minutes, but a laptop may sleep.
LEASE: Final = 3600.0

#: Seconds that the objects of a page in the back/forward cache live; browsers keep pages about that long.
PARKED: Final = 600.0
