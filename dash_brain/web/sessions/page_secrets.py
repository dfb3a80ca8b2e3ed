"""A session without a cookie: that of one page, which carries its secret itself.

For browsers that keep no cookie of ours at all. Dash puts a random id into each page that it serves, and the
page shows it with every callback. It is weaker than a cookie: scripts of the page can read it, and it
stands in the addresses of requests, which servers and proxies write to their logs.
"""

from __future__ import annotations

from collections.abc import Iterator

from dash_brain.common.signing import KeyRing
from dash_brain.web.servers import Request
from dash_brain.web.sessions.ids import PAGE, SessionId

#: Dash's ids have 24 random letters and digits, and a signature. What is shorter could be guessed.
_SHORTEST, _LONGEST = 24, 200


def shown(request: Request, keys: KeyRing, _: str = "page") -> Iterator[SessionId]:
    """Yield the secret of the page that asks, if it showed one.

    Dash's signature is not looked at: it may differ from worker to worker. The secret opens only what
    was stored by a page that showed it too, so an invented one opens nothing.
    """
    secret = request.query.get("endId", "")
    if _SHORTEST <= len(secret) <= _LONGEST:
        yield SessionId(keys.newest, secret, PAGE)
