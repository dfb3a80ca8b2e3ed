"""Why a session or a token was refused: for the log, and for errors.

A client gets the same error for every bad token; the log names the cause.
"""

from __future__ import annotations

from typing import NamedTuple

from dash_brain.common.log import warn
from dash_brain.errors import NoSession, ValueMissing
from dash_brain.settings import Settings, current
from dash_brain.web import tokens
from dash_brain.web.dash_internals import is_asked_by_mcp, is_request_to
from dash_brain.web.servers import Request, Response, current_request
from dash_brain.web.sessions import cookies, page_secrets
from dash_brain.web.sessions.session_ids import HEADER

_UNKNOWN_KEY = (
    "signed by key {kid}, which this server does not know: the key was changed, the store with the key was "
    "lost, or another machine or app signed it. Workers that serve one app need one key: set "
    "DASH_BRAIN_KEY."
)
_HTTPS = "Behind a proxy that terminates TLS, use Werkzeug's ProxyFix, so that every request counts as https."


class Cause(NamedTuple):
    """Why something was refused: a word for programs, cause and cure as text, and the kid of the key."""

    reason: str
    text: str
    kid: str | None = None


def no_session_error(app_id: str) -> NoSession:
    """Return the error that says why there is no session, and log it."""
    request = current_request()
    if request is None:
        return NoSession("There was no session when this background job was started.")
    cause = _why_no_session(current.use(), request)
    warn("no_session", cause.reason, f"No session: {cause.text}", app_id=app_id, kid=cause.kid)
    return NoSession(f"There is no session: {cause.text}")


def log_bad_token(app_id: str, session: str | None, token: object, hint: str = "", store: str = "") -> None:
    """Log why a token is not valid for this session, and for which ServerStore it came."""
    cause = _why_bad(current.use(), session, token)
    came = f"A token for ServerStore {store!r} was refused" if store else "A token was refused"
    _tell_page()
    warn("bad_token", cause.reason, f"{came}: {cause.text}{hint}", app_id=app_id, about=store, kid=cause.kid)


def value_missing_error(app_id: str, error: ValueMissing, expired: str = "", store: str = "") -> ValueMissing:
    """Return the error that says why the value behind a good token is gone, and log it.

    ``expired`` says why nothing renewed its ttl, where that is known; ``store``: for which ServerStore the
    token came.
    """
    # The store's message begins with the object id, which is a part of the token.
    happened = str(error).partition("' ")[2].rstrip(".") if error.reason != "unknown" else ""
    if expired:
        happened = f"{happened.partition(':')[0] or 'expired'}: {expired}"
    why = f"it {happened}" if happened else _GONE.get(error.reason, _GONE["unknown"])
    whose = f"of ServerStore {store!r}" if store else "behind this token"
    text = (
        f"The value {whose} is gone: {why}.{_alone(current.use())} Compute it again, or say what "
        "happens then: brain_callback(..., on_missing=...)."
    )
    _tell_page()
    warn("value_missing", error.reason, text, app_id=app_id, about=store)
    error.args = (text,)
    return error


def _tell_page() -> None:
    """Make the page claim at once: the answer to a claim tells which of its tokens are dead."""
    request = current_request()
    if request is not None:  # a background job may have none
        request.before_sending(_refused)


def _refused(response: Response) -> None:
    response.set_header(HEADER, "refused")


def warn_of_page(settings: Settings, request: Request, app_id: str) -> None:
    """Log when a page is being served to a browser that will not keep our cookie."""
    if settings.cookie == "iframe" and not request.is_secure:
        text = f"A page has no session: {_PLAIN_HTTP.text}"
        warn("page_without_session", _PLAIN_HTTP.reason, text, app_id=app_id)
    if settings.cookie == "lax" and _in_frame_of_another_site(request):
        text = f"A page is shown {_FRAME}"
        warn("page_without_session", "cross_site_frame", text, app_id=app_id)


_FRAME = (
    'in a frame of another site, where browsers keep no Lax cookie: configure(cookie="iframe"), or '
    'cookie="page" for browsers that keep none at all.'
)


def _in_frame_of_another_site(request: Request) -> bool:
    sent = request.headers
    return sent.get("Sec-Fetch-Dest") == "iframe" and sent.get("Sec-Fetch-Site") == "cross-site"


def _why_bad(settings: Settings, session: str | None, token: object) -> Cause:
    kid = tokens.kid_in(token)
    if kid is None:
        return Cause(
            "malformed",
            "it is no token by its form: something else than a brain_callback wrote it.",
        )
    if settings.keys.find(kid) is None:
        return _unknown_key(settings, "it is", kid)
    if session is None:
        why = _why_no_session(settings, current_request())
        return Cause(f"no_session_{why.reason}", f"the caller has no session. {why.text}", kid)
    return Cause(
        "other_session",
        "its signature is not for this session and app: it was made for another session, before a login or "
        "logout, or for another app; or it was forged.",
        kid,
    )


def _unknown_key(settings: Settings, it_is: str, kid: str) -> Cause:
    return Cause("unknown_key", f"{it_is} {_UNKNOWN_KEY.format(kid=kid)}{_alone(settings)}", kid)


def _alone(settings: Settings) -> str:
    """Return a hint for stores that no other worker shares."""
    if settings.store.shared == "process":
        return " The store is memory://, of which each worker has its own: several workers need shm://."
    return ""


def warn_of_initial_data(settings: Settings, app_id: str) -> None:
    """Log that a user without a session is not sent the initial ``data=`` of a layout."""
    cause = _why_no_session(settings, current_request())
    what = "Initial data= of a ServerStore is not sent to a user who is logged in and has no session"
    warn("initial_data", cause.reason, f"{what}: {cause.text}", app_id=app_id, kid=cause.kid)


def _why_no_session(settings: Settings, request: Request | None) -> Cause:
    if request is None:
        return _NO_REQUEST
    if is_asked_by_mcp():
        return _MCP
    if request.is_message and not _may_have_session(settings):
        return _MESSAGE
    if settings.cookie == "page":
        return _why_no_page(settings, request)
    if not cookies.can_be_kept(request, settings.cookie):
        return _PLAIN_HTTP
    if any(cookies.session_ids_in(request, settings.keys, settings.cookie)):
        return _CLOSED
    causes = (_why_not(settings, request, name, kid) for name, kid in cookies.our_cookies(request))
    return next(filter(None, causes), _no_cookie(settings))


def _no_cookie(settings: Settings) -> Cause:
    frame = _FRAME if settings.cookie == "lax" else _FRAME_WITHOUT_ANY
    return Cause("no_cookie", f"{_NO_COOKIE} {frame}")


def _why_not(settings: Settings, request: Request, name: str, kid: str) -> Cause | None:
    """Return why a cookie of ours is not valid; None: it belongs to another mode or scheme."""
    known = settings.keys.find(kid) is not None
    if name != cookies.name_of(request, kid, settings.cookie):
        is_mix = known and request.is_secure and name == cookies.PLAIN + kid
        return Cause("scheme", _SCHEME, kid) if is_mix else None
    if not known:
        return _unknown_key(settings, "the browser's cookie is", kid)
    return Cause("not_signed", "the browser's cookie was changed or cut off. Reload the page.", kid)


def _why_no_page(settings: Settings, request: Request) -> Cause:
    if any(page_secrets.session_ids_in(request, settings.keys)):
        return _CLOSED
    if is_request_to("_dash-layout"):
        return Cause(
            "layout",
            'with cookie="page" a session exists in callbacks only, and not while a layout is made: keep '
            "what belongs to the session in a callback.",
        )
    return Cause(
        "no_page",
        'with cookie="page" a session exists in the callbacks of a page that Dash served: reload it.',
    )


def _may_have_session(settings: Settings) -> bool:
    """Say whether messages of websockets may have a session."""
    return settings.cookie != "page" and settings.principal is None


_MESSAGE = Cause(
    "websocket",
    "this callback came by a websocket, which stays open while users log in and out, and which belongs to no "
    'page: with configure(principal=...) or cookie="page" its callbacks have no session. Leave out '
    "websocket=True and websocket_callbacks=True there.",
)
_NO_REQUEST = Cause("job", "the browser had none when it started this background job.")
_MCP = Cause(
    "mcp",
    "Dash's MCP server keeps what it computed for one client and shows it to all, so it has no session. Pass "
    'what a tool needs as an argument, or keep it for the app: memoize="app", or to_token(..., scope="app").',
)
_GONE = {
    "expired": "it expired: no page held it any more, or no claim of its page arrived for too long",
    "evicted": "it was evicted to make room in the store",
    "deleted": "it was deleted",
    "unknown": "no page held it any more, it expired, it was evicted, the store was lost, or it lies in "
    "the store of another machine (machines do not share shm:// and file://: use sticky sessions)",
}
_SCHEME = f"the browser's cookie was set through http, and this request came by https. {_HTTPS}"
_PLAIN_HTTP = Cause(
    "plain_http",
    f'with cookie="iframe" there are sessions on https only, and this request is plain http. {_HTTPS} To try '
    "the app without https: DASH_BRAIN_COOKIE=lax.",
)
_CLOSED = Cause("closed", "it was closed (a logout). Reload the page for a new one.")
_NO_COOKIE = (
    "the browser sent no session cookie. It gets one with the page: reload it. If that does not help, the "
    "browser refuses cookies, or the page came by https and this request by http, or the page stands"
)
_FRAME_WITHOUT_ANY = (
    'in a frame of another site, and the browser keeps no cookies there at all: configure(cookie="page").'
)
