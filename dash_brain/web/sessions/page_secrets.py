"""Sessions without a cookie: each page is a session, and sends a secret of its own.

For browsers that keep no cookie of ours. Dash puts a random id into each page that it serves, and the page
sends it with every callback. It is weaker than a cookie: scripts of the page can read it, and it
stands in the addresses of requests, which servers and proxies write to their logs.
"""

from __future__ import annotations

from collections.abc import Iterator

from dash_brain.common.signing import KeyRing
from dash_brain.web.servers import Request
from dash_brain.web.sessions.session_ids import PAGE, SessionId

#: Dash's ids have 24 random letters and digits, and a signature. What is shorter could be guessed.
_SHORTEST, _LONGEST = 24, 200


def session_ids_in(request: Request, keys: KeyRing, _: str = "page") -> Iterator[SessionId]:
    """Yield the secret of the page that sent a request, if there is one.

    Dash's signature is not checked: it may differ from worker to worker. A secret gives access only to what
    was stored with the same secret, so an invented one gives access to nothing.
    """
    secret = request.query.get("endId", "")
    if _SHORTEST <= len(secret) <= _LONGEST:
        yield SessionId(keys.newest, secret, PAGE)
