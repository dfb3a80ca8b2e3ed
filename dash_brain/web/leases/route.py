"""Claims of pages go to the route of callbacks, so that they pass wherever callbacks pass.

For CSRF protection, login guards, firewalls and proxies with lists of allowed paths, a claim is one more call
of a callback. Only our script can make it: the browser is not told of this callback.
"""

from __future__ import annotations

import json
from typing import Any

import dash

from dash_brain.common.log import warn
from dash_brain.web import sessions
from dash_brain.web.dash_internals import add_hidden_callback
from dash_brain.web.event_loop import served_beside_loop
from dash_brain.web.leases.claim import MOST_BYTES, BadClaim, parse
from dash_brain.web.leases.pages import accept
from dash_brain.web.servers import Request, bound_bodies, current_request, is_asgi
from dash_brain.web.sessions.request_session import is_of_our_script
from dash_brain.web.sessions.session_ids import HEADER

#: The id of the callback, as an output.
OUTPUT = "_dash-brain-claim.data"


def take_claims(app: dash.Dash) -> None:
    """Add the callback that takes claims to an app of which Dash has collected the callbacks."""
    add_hidden_callback(app, OUTPUT, served_beside_loop(_take) if is_asgi(app.server) else _take)


def limit_claim_bytes(app: dash.Dash) -> None:
    """Refuse claims that are too long, before their body is read."""
    bound_bodies(app.server, "_dash-update-component", HEADER, MOST_BYTES)


def _take(told: object = None, *_: Any, **__: Any) -> str:
    """Take a claim, and answer which of its tokens are dead.

    A page from before a change of the key gets a new session here, and the answer that all its tokens are
    dead.
    """
    request = current_request()
    assert request is not None  # Dash calls this in requests only
    _check_sender(request)
    caller = sessions.current_caller()
    if caller.session is None and not sessions.is_session_per_page():
        request.refuse(403)
    try:
        claim = parse(told)
    except BadClaim:
        request.refuse(400)
    answer: dict[str, Any] = {"dead": accept(caller, claim)}
    user = sessions.user_tag(caller)
    if user is not None:
        answer["user"] = user
    if sessions.session_began():
        answer["began"] = True  # when it happens twice, the browser refuses cookies, and the page says so
    return json.dumps(answer)


def _check_sender(request: Request) -> None:
    if not is_of_our_script(request):
        reason = "another_site" if HEADER in request.headers else "no_header"
        text = f"A page's claim of what it holds was refused: {_REFUSED[reason]}"
        warn("claim_refused", reason, text, app_id=sessions.current_caller().app_id)
        request.refuse(403)


_REFUSED = {
    "no_header": "the header X-Dash-Brain, which our script sends, did not arrive. Have proxies and "
    "firewalls pass it on: values live for as long as pages claim them, or callbacks read them.",
    "another_site": "the browser says (Sec-Fetch-Site) that a page of another site sent it.",
}
