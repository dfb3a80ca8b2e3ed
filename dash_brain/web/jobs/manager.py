"""Background callbacks in the process that serves the page.

A job runs in another process, perhaps much later, without a request. So it gets a context with its caller,
and it claims its inputs until it ends, as a page does.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, cast

import dash
from dash import Output
from dash.exceptions import MissingLongCallbackManagerError

from dash_brain.errors import BadToken, StoreError, ValueMissing
from dash_brain.settings import current
from dash_brain.web.apps import requested_app
from dash_brain.web.component import ServerOutput
from dash_brain.web.component_ids import canonical
from dash_brain.web.component_registry import registry_of
from dash_brain.web.dash_internals import background_manager_of, callback_context, updated_props
from dash_brain.web.dependencies import Inputs, Outputs
from dash_brain.web.exchange import resolve, verified
from dash_brain.web.incoming import server_stores
from dash_brain.web.jobs.side_updates import KeptResult, SideUpdates
from dash_brain.web.leases import LEASE
from dash_brain.web.leases.jobs import JobClaims
from dash_brain.web.outgoing import server_store_ids
from dash_brain.web.recipes import recompute
from dash_brain.web.servers import current_request
from dash_brain.web.sessions import Caller, current_caller
from dash_brain.web.sessions.job_context import JobContext, attach
from dash_brain.web.tokens import Verified

#: Hex digits of a job's key: random ones, and those of the hash of its session.
_RANDOM, _MARK = 32, 32

#: Stands for the manager's id of a job that was not started, since its result is kept.
_NO_JOB = "kept"


class BackgroundCallback(NamedTuple):
    """The declaration of one background callback.

    ``refuse`` is called with the ``BadToken`` or ``ValueMissing`` of an input before the job starts; it
    raises, or leaves the error to the job. ``kept`` returns the results of a memoized call with this context,
    and then no job starts, or raises ``ValueMissing``.
    """

    inputs: Inputs
    outputs: Outputs
    progress: list[Output]
    refuse: Callable[[Exception], None]
    kept: Callable[[Any], Any]


class Handle(NamedTuple):
    """The browser's name of a job: the manager's id of it, and its key, which tells its session.

    Dash signs it with the id of the page that started the job, but that id is in query strings, and so in the
    logs of servers: the signature alone does not prove the session.
    """

    job: str
    key: str

    def __str__(self) -> str:
        return f"{self.job}.{self.key}"

    @classmethod
    def read(cls, handle: object) -> Handle | None:
        """Parse a handle; None for that of a plain callback's job."""
        job, _, key = str(handle).rpartition(".")
        return cls(job, key) if job and len(key) == _RANDOM + _MARK else None


class ManagerProxy:
    """The background callback manager of one callback: a proxy of the real manager.

    Parameters
    ----------
    manager
        The callback's own manager; None: that of its app.
    declared
        The declaration of the callback.
    """

    def __init__(self, manager: Any, declared: BackgroundCallback) -> None:
        self._own = manager
        self._declared = declared

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # a proxy that is being unpickled has no manager yet
            raise AttributeError(name)
        return getattr(self._manager(), name)

    def __bool__(self) -> bool:
        """Say that there is a manager, or raise why the job of this request cannot be started.

        Dash asks this before it starts one. What is raised here reaches ``on_error``; what is raised later
        does not since Dash 4.5, which logs it and sends the page an empty answer.
        """
        context, request = callback_context(), current_request()
        if not context or request is None or "cacheKey" in request.query:
            return True
        if "may_start" not in request.state:
            self._check(current_caller(), context)
            request.state["may_start"] = True
        return True

    # Arguments that later releases of Dash add are passed on.

    def build_cache_key(self, *_: Any, **__: Any) -> str:
        """Return a unique key.

        Dash makes it from the arguments alone, so that two sessions, or two tabs, would get each other's
        results. ``memoize=`` keeps results for sessions.
        """
        return secrets.token_hex(_RANDOM // 2) + _mark(current_caller())

    def get_progress(self, key: str, *args: Any, **options: Any) -> Any:
        """Return the progress of a job since the last call."""
        return self._manager().get_progress(key, *args, **options) if _is_ours(key) else None

    def result_ready(self, key: str, *args: Any, **options: Any) -> bool:
        """Say whether a job's result is there."""
        return _is_ours(key) and bool(self._manager().result_ready(key, *args, **options))

    def call_job_fn(self, key: str, job_fn: Any, args: Any, context: Any, *more: Any, **options: Any) -> str:
        """Start a job of the caller, which claims its inputs; none if its result is kept."""
        caller = current_caller()
        if caller.session is not None:
            with suppress(ValueMissing):
                KeptResult(caller, key).put(self._declared.kept(context))
                return str(Handle(_NO_JOB, key))
        with _holding(caller, key, self._inputs(caller, context)):
            stores = list(self._server_stores(caller, context))
            attach(context, JobContext(caller.app_id, caller.session, key, stores, os.getpid()))
            job = self._manager().call_job_fn(key, job_fn, args, context, *more, **options)
        return str(Handle(str(job), key))

    def get_result(self, key: str, job: Any, *args: Any, **options: Any) -> Any:
        """Return a job's result, and delete the manager's copy: large values in it are tokens."""
        manager, handle = self._manager(), Handle.read(job)
        if not _is_ours(key):
            return manager.UNDEFINED
        number = handle.job if handle is not None and handle.key == key else None
        if number == _NO_JOB:
            return KeptResult(current_caller(), key).take(manager.UNDEFINED)
        result = manager.get_result(key, number, *args, **options)
        if result is manager.UNDEFINED and number is not None and not self.job_running(job):
            result = manager.get_result(key, number, *args, **options)  # the job ended between the two calls
        if result is not manager.UNDEFINED and manager.cache_by is not None:
            manager.clear_cache_entry(key)
        return result

    def get_updated_props(self, key: str | None, *args: Any, **options: Any) -> Any:
        """Return what a job has set by ``set_props`` since the last call."""
        if not _is_ours(key):
            return {}
        caller = current_caller()
        if caller.session is not None:
            return SideUpdates(caller, cast(str, key)).take()
        return updated_props(self._manager(), key, *args, **options)

    def job_running(self, job: Any, *args: Any, **options: Any) -> Any:
        """Say whether a job runs or is queued; this renews its claims.

        The answer is the same during a request. Dash asks for the result first and then for this: a job that
        ended in between would seem to have ended without a result.
        """
        handle = Handle.read(job)
        if handle is None or handle.job == _NO_JOB or not _is_ours(handle.key):
            return False
        request = current_request()
        answers = {} if request is None else request.state.setdefault("running", {})
        if job not in answers:
            answers[job] = self._manager().job_running(handle.job, *args, **options)
            _tell_claims(handle, JobClaims.renew if answers[job] else JobClaims.end)
        return answers[job]

    def terminate_job(self, job: Any, *args: Any, **options: Any) -> None:
        """Cancel a job of the caller's session."""
        handle = Handle.read(job)
        if handle is None:  # a plain callback's, which shares an Input for cancel= with ours
            self._manager().terminate_job(job, *args, **options)
        elif handle.job != _NO_JOB and _is_ours(handle.key):
            self._manager().terminate_job(handle.job, *args, **options)
            _tell_claims(handle, JobClaims.end)

    def terminate_unhealthy_job(self, job: Any, *args: Any, **options: Any) -> Any:
        """Clean up a job of the caller's session that does not run any more."""
        handle = Handle.read(job)
        if handle is None or handle.job == _NO_JOB or not _is_ours(handle.key):
            return False
        return self._manager().terminate_unhealthy_job(handle.job, *args, **options)

    def _manager(self) -> Any:
        manager = self._own or background_manager_of(requested_app())
        if manager is None:
            raise MissingLongCallbackManagerError(
                "A background callback needs a manager: Dash(background_callback_manager=...), or the "
                "callback's manager=. dash_brain.adapters.background has one that needs no other package."
            )
        return manager

    def _check(self, caller: Caller, context: Any) -> None:
        """Check that a job can be started.

        Raises
        ------
        NoSession
            When an input or output is a ServerStore, and the caller has no session.
        """
        self._manager()
        for found, token in self._inputs(caller, context).items():
            if not _is_there(found):
                try:
                    resolve(caller, token)
                except ValueMissing as error:
                    self._declared.refuse(error)
        if any(True for _ in self._server_stores(caller, context)):
            caller.namespace("session")

    def _inputs(self, caller: Caller, context: Any) -> dict[Verified, Any]:
        """Return where the objects of the job's inputs lie, with their tokens."""
        found = {}
        for leaf, declared in server_stores(context, self._declared.inputs, caller).values():
            try:
                found[verified(caller, leaf["value"], declared.name)] = leaf["value"]
            except BadToken as error:
                self._declared.refuse(error)
        return found

    def _server_stores(self, caller: Caller, context: Any) -> Iterator[str]:
        """Yield the ids of ServerStores: the job's process may not have the app."""
        for leaf, _ in server_stores(context, self._declared.inputs, caller).values():
            yield canonical(leaf["id"])
        yield from server_store_ids(context, self._declared.outputs, caller)
        for output in self._declared.progress:
            name = canonical(output.component_id)
            if isinstance(output, ServerOutput) or registry_of(caller).holds_tokens(name):
                yield name


def _is_there(found: Verified) -> bool:
    store = current.use().store
    if recompute.is_memoized(found):
        return recompute.lease(store, found, LEASE)
    with suppress(ValueMissing):
        store.info(*found)
        return True
    return False


@contextmanager
def _holding(caller: Caller, key: str, inputs: dict[Verified, Any]) -> Iterator[None]:
    """Claim the inputs of a job that is being started; release them if that fails."""
    if caller.session is None:
        yield
        return
    JobClaims(caller).begin(key, inputs)
    try:
        yield
    except BaseException:
        JobClaims(caller).end(key)
        raise


def _mark(caller: Caller) -> str:
    """Return the hash of the session in the key of a job."""
    return hashlib.sha256(f"job {caller.app_id} {caller.session}".encode()).hexdigest()[:_MARK]


def _is_ours(key: str | None) -> bool:
    """Say whether a job is of the caller's session: another user of the browser may have logged in.

    Dash passes no key for a handle that it did not sign.
    """
    return key is not None and key.endswith(_mark(current_caller()))


def _tell_claims(handle: Handle, what: Callable[[JobClaims, str], None]) -> None:
    """Renew or release the inputs of a job."""
    with suppress(StoreError):  # they expire
        caller = current_caller()
        if caller.session is not None:
            what(JobClaims(caller), handle.key)


def share_cancels(app: dash.Dash) -> None:
    """Let :class:`ManagerProxy` cancel the jobs of an Input that plain callbacks share with ours.

    Dash uses the manager of the last callback, and that of a plain one cannot parse our handles.
    """
    callbacks = [one for one in app.callback_map.values() if not one.get("background")]
    for declared in [one["background"] for one in app.callback_map.values() if one.get("background")]:
        if isinstance(declared.get("manager"), ManagerProxy):
            for callback in callbacks:
                if callback.get("inputs") in [[one] for one in declared.get("cancel", [])]:
                    callback["manager"] = declared["manager"]
