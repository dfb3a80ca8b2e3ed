"""The caller: the session of the browser, and the app that it calls.

A session is a random secret that the browser sends. Its values lie in namespaces whose names are derived from
that secret and the app: so neither a folder's name nor a token reveals it, and no app sees another's values.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import NoReturn

from dash_brain.common.signing import KeyRing
from dash_brain.errors import NoSession
from dash_brain.settings import Settings, current
from dash_brain.shared_results import is_computing_shared_result, refuse
from dash_brain.web.apps import app_of, check_current_backend, requested_app
from dash_brain.web.dash_internals import is_api_call, is_message, is_request_to
from dash_brain.web.servers import Request, current_request
from dash_brain.web.sessions.closed_sessions import closed_note, note_closed
from dash_brain.web.sessions.cookies import has_cookie, session_ids_in
from dash_brain.web.sessions.job_context import JobContext, current_job
from dash_brain.web.sessions.looking_ahead import look_ahead
from dash_brain.web.sessions.refusals import no_session_error, warn_of_page
from dash_brain.web.sessions.request_session import (
    KEEP_PRIVATE,
    begin_session,
    find_session_id,
    first_session_id,
    may_begin_session,
    replace_session,
    send_cookie,
)
from dash_brain.web.sessions.session_ids import app_identity, checked_principal
from dash_brain.web.sessions.session_registry import session_registry
from dash_brain.web.sessions.worker_keys import worker_keys
from dash_brain.web.tokens import SCOPES


@dataclass(frozen=True)
class Caller:
    """The app and the session of the current request or job."""

    app_id: str
    session: str | None
    #: Those of this request; the keys sign and verify its tokens.
    settings: Settings = field(repr=False, compare=False)
    keys: KeyRing = field(repr=False, compare=False)

    @cached_property
    def namespaces(self) -> dict[str, str]:
        """Scope to namespace: where tokens of this caller may point to."""
        spaces = {"app": f"app/{self.app_id}", "memo": f"memo/app/{self.app_id}"}
        if self.session is not None:
            spaces |= {"session": f"session/{self.session}", "session-memo": f"session-memo/{self.session}"}
        return spaces

    def namespace(self, scope: str) -> str:
        """Return the namespace of a scope of tokens.

        Raises
        ------
        NoSession
            When the browser sent no valid session.
        """
        if scope not in SCOPES:
            raise ValueError(f"There is no scope {scope!r}.")
        if scope not in self.namespaces:
            refuse("A value of the session")
            raise no_session_error(self.app_id)
        return self.namespaces[scope]

    @property
    def names(self) -> str:
        """The namespace of the session's named values. Raises as :meth:`namespace` does."""
        return self.namespace("session").replace("session", "session-names", 1)

    @property
    def claims(self) -> str:
        """The namespace of the claims of the session's pages. Raises as :meth:`namespace` does."""
        return self.namespace("session").replace("session", "claims", 1)


def current_caller() -> Caller:
    """Return the caller of the current request; in a background job, the caller who started it.

    Raises
    ------
    NoSession
        Outside of any request and job.
    """
    job = current_job()
    if job is not None:
        return _caller_of_job(job)
    request = current_request() or _no_caller()
    if is_computing_shared_result():  # a shared result has no session
        settings = current.use()
        return Caller(app_identity(settings, app_of(request)), None, settings, settings.keys)
    if "goes_on" in request.state:  # the session may end while a stream or a message of a websocket goes on
        request.state.pop("caller", None)
        request.state.pop("session_id", None)
    caller: Caller | None = request.state.get("caller")
    if caller is None:
        caller = request.state["caller"] = _caller(current.use(), request)
    return caller


def is_user_without_session() -> bool:
    """Say whether a user may be logged in without a session."""
    settings = current.use()
    if current_caller().session is not None or settings.principal is None:
        return False
    request = current_request()
    if request is None or current_job() is not None:  # principal= cannot be called there
        return True
    return _principal(settings, request) is not None


def user_tag(caller: Caller) -> str | None:
    """Return a keyed hash of the user who is logged in; None: nobody is, or ``principal=`` is not set.

    The browser keeps the stores of several users apart by it; it reveals nothing of the user.
    """
    settings = current.use()
    request = current_request()
    if caller.session is None or settings.cookie == "page" or request is None or current_job() is not None:
        return None  # no store outlives such a page; and a job's page has it already
    who = _principal(settings, request)
    if who is None:
        return None
    return settings.keys.newest.mac("user", caller.app_id, type(who).__name__, str(who)).hex()[:16]


def has_caller() -> bool:
    """Say whether there is a request or a background job, and so a caller."""
    return current_request() is not None or current_job() is not None


def is_sent_to_page() -> bool:
    """Say whether components that are serialized now go to a page: in a layout or a callback's result."""
    if current_job() is not None:
        return True
    return is_request_to("_dash-layout") or is_request_to("_dash-update-component") or is_message()


def _caller_of_job(job: JobContext) -> Caller:
    settings = current.use()
    if settings.store.shared == "process" and job.sender != os.getpid():
        raise NoSession("A background job shares no memory:// with the app: use shm:// or file://.")
    if is_computing_shared_result():
        return Caller(job.app_id, None, settings, settings.keys)
    if job.session is not None and not session_registry(settings, job.app_id).has(job.session):
        raise NoSession(
            "The session that started this background job has ended, or the job's process opens another "
            "store than the app: give both the same DASH_BRAIN_STORE and DASH_BRAIN_KEY, and call "
            "configure() where it runs when the app's module is imported."
        )
    return Caller(job.app_id, job.session, settings, settings.keys)


def close_session() -> None:
    """End the caller's session at once: for a logout.

    All its values, names and claims are removed, whoever is or was logged in. Its cookie never works again,
    for any user; the browser gets a new one with this response, and pages that are still open empty their
    ServerStores. Where there is no session nothing happens.

    Call it in a callback that comes by HTTP, or in a route of the app's server: the answer to a websocket
    callback brings no cookie. With ``Dash(websocket_callbacks=True)`` that leaves a route.

    Raises
    ------
    NoSession
        Outside of any request, in a background job, in a websocket callback, in a generator, and in what
        FastAPI or Quart run after the response: no cookie would reach the browser.
    StoreFull, StoreUnavailable
        When the store has no room for the note that it is closed, or cannot be reached.

    Examples
    --------
    >>> from dash import Input, Output, callback
    >>> from dash_brain import close_session
    >>> @callback(Output("location", "href"), Input("logout", "n_clicks"), prevent_initial_call=True)
    ... def log_out(clicks):
    ...     close_session()
    ...     return "/"
    """
    refuse("close_session()")
    request = current_request() or _no_caller()
    if current_job() is not None:
        raise NoSession("A background job cannot close the session: the browser awaits no cookie from it.")
    if request.is_answered or "goes_on" in request.state:
        raise NoSession(_NO_COOKIE_COMES)
    settings = current.use()
    session_id = find_session_id(settings, request, settings.keys)
    if session_id is None:
        return
    app_id = app_identity(settings, requested_app())
    sessions = session_registry(settings, app_id)
    anonymous = session_id.session(app_id)
    sessions.close(anonymous)  # first: the note may need the room
    note_closed(settings, session_id)
    sessions.close(anonymous)  # what was stored meanwhile
    request.state.pop("caller", None)
    request.state.pop("principal", None)
    replace_session(settings, request, session_id)


_NO_COOKIE_COMES = (
    "close_session() would leave the browser without a session: the new cookie comes with the response, a "
    "websocket callback has none, and that of a generator has begun. Call it in a callback that comes by "
    "HTTP and returns one result, or in a route of the app's server; with Dash(websocket_callbacks=True), "
    "where all callbacks come by websocket, in a route."
)


def is_session_per_page() -> bool:
    """Say whether each page is a session, without a cookie that a browser would also send for other sites."""
    return current.use().cookie == "page"


def session_began() -> bool:
    """Say whether a session began with the current request."""
    request = current_request()
    return request is not None and "began" in request.state


def has_ended() -> bool:
    """Say whether the session whose cookie the current request has was closed, or lost with its key."""
    settings, request = current.use(), current_request()
    if request is None or settings.cookie == "page" or not has_cookie(request, settings.cookie):
        return False
    if find_session_id(settings, request, settings.keys) is not None:
        return False
    if not any(session_ids_in(request, settings.keys, settings.cookie)):
        no_session_error(app_identity(settings, app_of(request)))  # logs how it was lost
    return True


def send_session() -> None:
    """Send the session cookie with the page that is being served: the browser's own, or a new one."""
    settings, request = current.use(), current_request()
    if request is None:
        return
    if request.shares_loop:  # what the store is asked for has to wait until the event loop goes on
        _principal(settings, request)  # while the server knows the request
        request.before_sending(lambda _: _send_session(settings, request), may_block=True)
    else:
        _send_session(settings, request)


def _send_session(settings: Settings, request: Request) -> None:
    warn_of_page(settings, request, current_caller().app_id)
    send_cookie(settings, request)


def _no_caller() -> NoReturn:
    check_current_backend()
    raise NoSession(
        "There is no request: sessions exist in callbacks and while a layout is served. For values that "
        "belong to no session use Brain."
    )


def _caller(settings: Settings, request: Request) -> Caller:
    request.before_sending(KEEP_PRIVATE)
    app_id = app_identity(settings, app_of(request))
    keys_of_workers, sessions = worker_keys(settings, app_id), session_registry(settings, app_id)
    if os.getpid() not in keys_of_workers.checked:
        keys_of_workers.check()
    keys = settings.keys
    if request.is_message and settings.principal is not None:  # it is known of the handshake only
        return Caller(app_id, None, settings, keys)
    if settings.store.shared == "network":
        _look_ahead(settings, request, app_id)
    session_id = find_session_id(settings, request, keys)
    if session_id is None and may_begin_session(settings, request):
        session_id = begin_session(settings, request)
    if session_id is None:
        return Caller(app_id, None, settings, keys)
    who = None if settings.principal is None else _principal(settings, request)
    anonymous = session_id.session(app_id)
    session = anonymous if who is None else session_id.session(app_id, who)
    noted = sessions.noted_without_cookie if "goes_on" in request.state else sessions.noted
    if session not in noted and _is_use(request):
        noted.note(session)
        sessions.note_use(session, anonymous)
        send_cookie(settings, request)
    return Caller(app_id, session, settings, keys)


def _look_ahead(settings: Settings, request: Request, app_id: str) -> None:
    """Ask for all that the request is about to read; its session counts as open until the answer is there."""
    session_id = first_session_id(settings, request, settings.keys)
    if session_id is None:
        settings.store.look_ahead(())
    else:
        session = session_id.session(app_id, _principal(settings, request))
        spaces = Caller(app_id, session, settings, settings.keys).namespaces
        look_ahead(request, [closed_note(session_id)], settings.keys, spaces)


def _principal(settings: Settings, request: Request) -> str | int | None:
    """Return the user who is logged in. ``principal=`` is called once in a request."""
    if settings.principal is None:
        return None
    if "naming" in request.state:
        raise RuntimeError("principal= cannot use session_brain: the session depends on its result.")
    if "principal" not in request.state:
        request.state["naming"] = True
        try:
            request.state["principal"] = checked_principal(settings.principal())
        finally:
            del request.state["naming"]
    user: str | int | None = request.state["principal"]
    return user


def _is_use(request: Request) -> bool:
    """Say whether a request shows that its session is in use."""
    return request.is_callback or is_api_call() or is_request_to("_dash-layout")
