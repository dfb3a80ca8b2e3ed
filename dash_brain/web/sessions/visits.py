"""Who asks: the session of the browser and the app that it talks to.

A session is a random secret that the browser shows. What belongs to it lies in namespaces whose names are
derived from that secret, so that neither a folder's name nor a token reveals it, and no app sees what is
another's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import NoReturn, cast

from dash_brain.common.signing import KeyRing
from dash_brain.errors import NoSession
from dash_brain.settings import Settings, current
from dash_brain.shared_results import is_made, refuse
from dash_brain.web.dash_internals import app_of, check_backend_that_asks, is_api_call, requested_app, serves
from dash_brain.web.jobs.errands import Errand, errand
from dash_brain.web.servers import Request, current_request
from dash_brain.web.sessions.asking import PRIVATE, asking, begin, may_begin, replace, send
from dash_brain.web.sessions.attendance import attendance
from dash_brain.web.sessions.closed import note_closed
from dash_brain.web.sessions.ids import app_identity, checked_principal
from dash_brain.web.sessions.refusals import no_session, warn_of_page
from dash_brain.web.sessions.workers import workers
from dash_brain.web.tokens import SCOPES


@dataclass(frozen=True)
class Visit:
    """One request: the app that is asked, and the session that asks, if the browser showed one."""

    app_id: str
    session: str | None
    #: As they are for this request; the keys sign and verify its tokens.
    settings: Settings = field(repr=False, compare=False)
    keys: KeyRing = field(repr=False, compare=False)

    @cached_property
    def namespaces(self) -> dict[str, str]:
        """Scope to namespace: where tokens of this visit may point to."""
        spaces = {"app": f"app/{self.app_id}", "memo": f"memo/app/{self.app_id}"}
        if self.session is not None:
            spaces |= {"session": f"session/{self.session}", "session-memo": f"session-memo/{self.session}"}
        return spaces

    def namespace(self, scope: str) -> str:
        """Return the namespace of a scope of tokens.

        Raises
        ------
        NoSession
            When the browser showed no valid session.
        """
        if scope not in SCOPES:
            raise ValueError(f"There is no scope {scope!r}.")
        if scope not in self.namespaces:
            refuse("A value of the session")
            raise no_session(self.app_id)
        return self.namespaces[scope]

    @property
    def names(self) -> str:
        """The namespace of what is kept by name in the session. Raises as :meth:`namespace` does."""
        return self.namespace("session").replace("session", "session-names", 1)

    @property
    def claims(self) -> str:
        """The namespace of the claims of the session's pages. Raises as :meth:`namespace` does."""
        return self.namespace("session").replace("session", "claims", 1)


def visit() -> Visit:
    """Return who asks whom, in a callback or while a page is served; in a background job, who asked for it.

    Raises
    ------
    NoSession
        Outside of any request and job.
    """
    job = errand()
    if job is not None:
        return _visit_of(job)
    request = current_request() or _nobody_asks()
    if is_made():  # whoever asks, a result for all is of none of them
        settings = current.use()
        return Visit(app_identity(settings, app_of(request)), None, settings, settings.keys)
    if "visit" not in request.kept:
        request.kept["visit"] = _visit(current.use(), request)
    return cast(Visit, request.kept["visit"])


def is_somebody_without_session() -> bool:
    """Say whether a user may be logged in whose browser showed no session."""
    settings = current.use()
    if visit().session is not None or settings.principal is None:
        return False
    request = current_request()
    if request is None or errand() is not None:  # nobody can be asked there
        return True
    return _principal(settings, request) is not None


def user_name(asking: Visit) -> str | None:
    """Return a name for who is logged in, which tells him from others and reveals nothing of him.

    It is for his browser, in which others may log in. None: nobody is, or nobody says who.
    """
    settings = current.use()
    request = current_request()
    if asking.session is None or settings.cookie == "page" or request is None or errand() is not None:
        return None  # nothing outlives the page then; and of a job the page knows it
    who = _principal(settings, request)
    if who is None:
        return None
    return settings.keys.newest.mac("user", asking.app_id, type(who).__name__, str(who)).hex()[:16]


def somebody_asks() -> bool:
    """Say whether there is a request or a background job, and so a visit."""
    return current_request() is not None or errand() is not None


def _visit_of(job: Errand) -> Visit:
    settings = current.use()
    if settings.store.shared == "process" and job.sender != os.getpid():
        raise NoSession("A background job shares no memory:// with the app: use shm:// or file://.")
    if is_made():
        return Visit(job.app_id, None, settings, settings.keys)
    if job.session is not None and not attendance(settings, job.app_id).knows(job.session):
        raise NoSession(
            "The session that started this background job has ended, or the job's process opens another "
            "store than the app: give both the same DASH_BRAIN_STORE and DASH_BRAIN_KEY, and call "
            "configure() where it runs when the app's module is imported."
        )
    return Visit(job.app_id, job.session, settings, settings.keys)


def close_session() -> None:
    """End the session of the browser that asks, at once: for a logout.

    All its values, names and claims are removed, whoever is or was logged in. Its cookie never works again,
    for nobody; the browser gets a new one with this response, and pages that are still open empty their
    ServerStores. Where there is no session nothing happens.

    Call it in a callback, or in a route of the app's server.

    Raises
    ------
    NoSession
        Outside of any request.
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
    request = current_request() or _nobody_asks()
    if errand() is not None:
        raise NoSession("A background job cannot close the session: the browser awaits no cookie from it.")
    settings = current.use()
    session_id = asking(settings, request, settings.keys)
    if session_id is None:
        return
    app_id = app_identity(settings, requested_app())
    end = attendance(settings, app_id).close
    anonymous = session_id.session(app_id)
    end(anonymous)  # before the note: it may need the room
    note_closed(settings, session_id)
    end(anonymous)  # what came between
    request.kept.pop("visit", None)
    request.kept.pop("principal", None)
    replace(settings, request, session_id)


def is_shown_by_page() -> bool:
    """Say whether pages show their sessions themselves, so that no other site can have a browser do it."""
    return current.use().cookie == "page"


def began() -> bool:
    """Say whether a session began with the current request: the browser showed none."""
    request = current_request()
    return request is not None and "began" in request.kept


def keep() -> None:
    """Give the browser its session with the page that is being served: the one that it has, or a new one."""
    settings, request = current.use(), current_request()
    if request is not None:
        warn_of_page(settings, request, visit().app_id)
        send(settings, request)


def _nobody_asks() -> NoReturn:
    check_backend_that_asks()
    raise NoSession(
        "No browser is asking: sessions exist in callbacks and while a layout is served. For values that "
        "belong to no session use Brain."
    )


def _visit(settings: Settings, request: Request) -> Visit:
    request.before_sending(PRIVATE)
    app_id = app_identity(settings, app_of(request))
    team, sessions = workers(settings, app_id), attendance(settings, app_id)
    if os.getpid() not in team.seen:
        team.see()
    keys = settings.keys
    session_id = asking(settings, request, keys)
    if session_id is None and may_begin(settings, request):
        session_id = begin(settings, request)
    if session_id is None:
        return Visit(app_id, None, settings, keys)
    who = None if settings.principal is None else _principal(settings, request)
    anonymous = session_id.session(app_id)
    session = anonymous if who is None else session_id.session(app_id, who)
    if session not in sessions.seen and _is_use(request) and sessions.see(session, anonymous):
        send(settings, request)
    return Visit(app_id, session, settings, keys)


def _principal(settings: Settings, request: Request) -> str | int | None:
    """Return who is logged in. It is asked once in a request: a visit is who he was when it began."""
    if settings.principal is None:
        return None
    if "naming" in request.kept:
        raise RuntimeError("principal= asks for the session that it is to name; it cannot use session_brain.")
    if "principal" not in request.kept:
        request.kept["naming"] = True
        try:
            request.kept["principal"] = checked_principal(settings.principal())
        finally:
            del request.kept["naming"]
    return cast("str | int | None", request.kept["principal"])


def _is_use(request: Request) -> bool:
    """Say whether a request shows that its session is in use."""
    return request.is_callback or is_api_call() or serves("_dash-layout")
