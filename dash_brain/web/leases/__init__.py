"""How long values of a session live: while a page or a background job holds them, or callbacks read them.

A lease lets an object live on for a while. Whoever holds objects says so again and again, and the ttl of
the objects does the rest: nothing has to walk over sessions.
"""

from typing import Final

from dash_brain.stores import namespaces

#: Seconds in which a page has to claim an object that is on its way; else its response was superseded.
#: Reading lets it live so long again.
UNCLAIMED: Final = namespaces.UNCLAIMED

#: Seconds that an object lives on after a page claimed it last: for a laptop that sleeps, and for a
#: browser that died without a word. Pages claim anew every few minutes.
LEASE: Final = 3600.0

#: Seconds that a page's objects live on in the back/forward cache; browsers keep pages about that long.
PARKED: Final = 600.0
