"""Claims arrive by the route of callbacks: what lets those through lets claims through.

To CSRF protection, login guards, proxies with lists of allowed paths and firewalls a claim is one more call
of a callback, which only our script can make. For Dash it is none: the browser is not told of it.
"""

from __future__ import annotations

import json
from typing import Any

import dash

from dash_brain.common.log import warn
from dash_brain.web import sessions
from dash_brain.web.dash_internals import add_hidden_callback
from dash_brain.web.leases.claim import MOST_BYTES, BadClaim, read
from dash_brain.web.leases.pages import accept
from dash_brain.web.servers import Request, current_request
from dash_brain.web.servers.flask import bound_bodies, is_flask
from dash_brain.web.sessions.asking import is_claim
from dash_brain.web.sessions.ids import OURS

#: What Dash takes for the id of the callback's output.
OUTPUT = "_dash-brain-claim.data"


def take_claims(app: dash.Dash) -> None:
    """Let an app take the claims of its pages, once Dash has collected its callbacks."""
    add_hidden_callback(app, OUTPUT, _take)


def bound(app: dash.Dash) -> None:
    """Refuse claims that are too long before any more of them is read."""
    if is_flask(app.server):
        bound_bodies(app.server, "_dash-update-component", OURS, MOST_BYTES)


def _take(told: object = None, *_: Any, **__: Any) -> str:
    """Take what a page holds, and answer which of it is dead.

    A page that outlived its key gets a new session here, and learns that all its tokens are dead.
    """
    request = current_request()
    assert request is not None  # Dash calls it for one
    _check_sender(request)
    asking = sessions.visit()
    if asking.session is None and not sessions.is_shown_by_page():
        request.refuse(403)
    try:
        claim = read(told)
    except BadClaim:
        request.refuse(400)
    answer: dict[str, Any] = {"dead": accept(asking, claim)}
    user = sessions.user_name(asking)
    if user is not None:
        answer["user"] = user
    if sessions.began():
        answer["began"] = True  # again and again: the browser keeps no cookie, and its page says so
    return json.dumps(answer)


def _check_sender(request: Request) -> None:
    if not is_claim(request):
        reason = "another_site" if OURS in request.headers else "no_header"
        text = f"A page's claim of what it holds was refused: {_REFUSED[reason]}"
        warn("claim_refused", reason, text, app_id=sessions.visit().app_id)
        request.refuse(403)


_REFUSED = {
    "no_header": "the header X-Dash-Brain, which our script sends, did not arrive. Have proxies and "
    "firewalls pass it on: values live for as long as pages claim them, or callbacks read them.",
    "another_site": "the browser says (Sec-Fetch-Site) that a page of another site sent it.",
}
