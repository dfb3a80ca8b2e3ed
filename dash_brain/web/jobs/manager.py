"""Callbacks in the background, seen from the process that serves the page.

A job runs in another process, perhaps much later, and no browser asks there. So it takes along who asked
for it, and holds its inputs until it ends, as a page does.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from typing import Any, NamedTuple, cast

import dash
from dash import Output
from dash.exceptions import MissingLongCallbackManagerError

from dash_brain.errors import BadToken, StoreError, ValueMissing
from dash_brain.settings import current
from dash_brain.web.component import ServerOutput
from dash_brain.web.dash_internals import app_background_manager, callback_context
from dash_brain.web.exchange import registry, resolve, verified
from dash_brain.web.ids import canonical
from dash_brain.web.incoming import server_stores
from dash_brain.web.jobs.errands import Errand, send
from dash_brain.web.jobs.side_updates import SideUpdates
from dash_brain.web.leases import LEASE
from dash_brain.web.leases.jobs import JobClaims
from dash_brain.web.memo import recipes
from dash_brain.web.outgoing import server_store_ids
from dash_brain.web.patterns import Inputs, Outputs
from dash_brain.web.servers import current_request
from dash_brain.web.sessions import Visit, visit
from dash_brain.web.tokens import Verified

#: Hex digits of a job's key: those that make it its own, and those that tell whose it is.
_RANDOM, _MARK = 32, 32


class BackgroundCallback(NamedTuple):
    """What was declared of one callback in the background.

    ``refuse`` is called with the ``BadToken`` or ``ValueMissing`` of an input while the browser asks; it may
    raise, or leave it to the job.
    """

    inputs: Inputs
    outputs: Outputs
    progress: list[Output]
    refuse: Callable[[Exception], None]


class Handle(NamedTuple):
    """What the browser calls a job: what the manager calls it, and the job's key, which tells whose it is.

    Dash signs it for the page that started the job; but a page's id stands in addresses, and so in logs.
    """

    job: str
    key: str

    def __str__(self) -> str:
        return f"{self.job}.{self.key}"

    @classmethod
    def read(cls, handle: object) -> Handle | None:
        """Return the handle that a text is, None for one of a plain callback's job."""
        job, _, key = str(handle).rpartition(".")
        return cls(job, key) if job and len(key) == _RANDOM + _MARK else None


class Jobs:
    """What Dash takes for the background callback manager of one callback: hands all on to the real one.

    Parameters
    ----------
    manager
        The callback's own manager; None: its app's.
    declared
        The callback.
    """

    def __init__(self, manager: Any, declared: BackgroundCallback) -> None:
        self._own = manager
        self._declared = declared

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # a copy that is being unpickled has no manager yet
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
        if "may_start" not in request.kept:
            self._check(visit(), context)
            request.kept["may_start"] = True
        return True

    # What later releases of Dash pass to managers that we do not know is handed on.

    def build_cache_key(self, *_: Any, **__: Any) -> str:
        """Return a key that no other job has.

        Dash makes it from the arguments alone, so that two sessions, or two tabs, would get each other's
        results. To keep results is what ``memoize=`` is for, which knows of sessions.
        """
        return secrets.token_hex(_RANDOM // 2) + _mark(visit())

    def get_progress(self, key: str, *args: Any, **options: Any) -> Any:
        """Return what a job told of its progress since the last look."""
        return self._manager().get_progress(key, *args, **options) if _is_ours(key) else None

    def result_ready(self, key: str, *args: Any, **options: Any) -> bool:
        """Say whether a job's result is there."""
        return _is_ours(key) and bool(self._manager().result_ready(key, *args, **options))

    def call_job_fn(self, key: str, job_fn: Any, args: Any, context: Any, *more: Any, **options: Any) -> str:
        """Start a job that holds its inputs, for who asks now."""
        asking = visit()
        with _holding(asking, key, self._inputs(asking, context)):
            stores = list(self._server_stores(asking, context))
            send(context, Errand(asking.app_id, asking.session, key, stores, os.getpid()))
            job = self._manager().call_job_fn(key, job_fn, args, context, *more, **options)
        return str(Handle(str(job), key))

    def get_result(self, key: str, job: Any, *args: Any, **options: Any) -> Any:
        """Return a job's result, and keep no copy: what is large in it is a token, and lives by claims."""
        manager, handle = self._manager(), Handle.read(job)
        if not _is_ours(key):
            return manager.UNDEFINED
        number = handle.job if handle is not None and handle.key == key else None
        result = manager.get_result(key, number, *args, **options)
        if result is manager.UNDEFINED and number is not None and not self.job_running(job):
            result = manager.get_result(key, number, *args, **options)  # it has ended since we looked
        if result is not manager.UNDEFINED and manager.cache_by is not None:
            manager.clear_cache_entry(key)
        return result

    def get_updated_props(self, key: str | None, *args: Any, **options: Any) -> Any:
        """Return what a job has set by ``set_props`` since the last look."""
        if not _is_ours(key):
            return {}
        asking = visit()
        if asking.session is not None:
            return SideUpdates(asking, cast(str, key)).take()
        manager = copy(self._manager())
        kept, clear = manager._make_set_props_key(key), manager.clear_cache_entry
        # CeleryManager would delete the job's result in place of what it has read.
        manager.clear_cache_entry = lambda _: clear(kept)
        return manager.get_updated_props(key, *args, **options)

    def job_running(self, job: Any, *args: Any, **options: Any) -> Any:
        """Say whether a job runs or waits to; as long as a page asks that, the job's inputs live on.

        A request has one answer. Dash looks for the result first and then asks this: a job that ended in
        between would seem to have ended without one.
        """
        handle = Handle.read(job)
        if handle is None or not _is_ours(handle.key):
            return False
        request = current_request()
        answers = {} if request is None else request.kept.setdefault("running", {})
        if job not in answers:
            answers[job] = self._manager().job_running(handle.job, *args, **options)
            _tell_claims(handle, JobClaims.renew if answers[job] else JobClaims.end)
        return answers[job]

    def terminate_job(self, job: Any, *args: Any, **options: Any) -> None:
        """End a job of the session that asks."""
        handle = Handle.read(job)
        if handle is None:  # a plain callback's, which has an Input for cancel= in common with ours
            self._manager().terminate_job(job, *args, **options)
        elif _is_ours(handle.key):
            self._manager().terminate_job(handle.job, *args, **options)
            _tell_claims(handle, JobClaims.end)

    def terminate_unhealthy_job(self, job: Any, *args: Any, **options: Any) -> Any:
        """End a job of the session that asks if it does not run any more."""
        handle = Handle.read(job)
        if handle is None or not _is_ours(handle.key):
            return False
        return self._manager().terminate_unhealthy_job(handle.job, *args, **options)

    def _manager(self) -> Any:
        manager = self._own or app_background_manager()
        if manager is None:
            raise MissingLongCallbackManagerError(
                "A background callback needs a manager: Dash(background_callback_manager=...), or the "
                "callback's manager=. DiskcacheManager needs dash[diskcache], CeleryManager dash[celery]."
            )
        return manager

    def _check(self, asking: Visit, context: Any) -> None:
        """Raise why no job can be started.

        Raises
        ------
        NoSession
            When values of ServerStores go in or come out, and the browser showed no session.
        """
        self._manager()
        for found, token in self._inputs(asking, context).items():
            if not _is_there(found):
                try:
                    resolve(asking, token)
                except ValueMissing as error:
                    self._declared.refuse(error)
        if any(True for _ in self._server_stores(asking, context)):
            asking.namespace("session")

    def _inputs(self, asking: Visit, context: Any) -> dict[Verified, Any]:
        """Return where the objects of the job's inputs lie, with their tokens."""
        found = {}
        for leaf, declared in server_stores(context, self._declared.inputs, asking).values():
            try:
                found[verified(asking, leaf["value"], declared.name)] = leaf["value"]
            except BadToken as error:
                self._declared.refuse(error)
        return found

    def _server_stores(self, asking: Visit, context: Any) -> Iterator[str]:
        """Yield the ids of ServerStores: the job's process may not have the app that tells."""
        for leaf, _ in server_stores(context, self._declared.inputs, asking).values():
            yield canonical(leaf["id"])
        yield from server_store_ids(context, self._declared.outputs, asking)
        for output in self._declared.progress:
            name = canonical(output.component_id)
            if isinstance(output, ServerOutput) or registry(asking).holds_tokens(name):
                yield name


def _is_there(found: Verified) -> bool:
    store = current.use().store
    if recipes.is_memoized(found):
        return recipes.lease(store, found, LEASE)
    with suppress(ValueMissing):
        store.info(*found)
        return True
    return False


@contextmanager
def _holding(asking: Visit, key: str, inputs: dict[Verified, Any]) -> Iterator[None]:
    """Hold the inputs of a job that is being started, if it is."""
    if asking.session is None:
        yield
        return
    JobClaims(asking).begin(key, inputs)
    try:
        yield
    except BaseException:
        JobClaims(asking).end(key)
        raise


def _mark(asking: Visit) -> str:
    """Return what tells, in the key of a job, whose it is."""
    return hashlib.sha256(f"job {asking.app_id} {asking.session}".encode()).hexdigest()[:_MARK]


def _is_ours(key: str | None) -> bool:
    """Say whether a job is of the session that asks: of the same browser, another may have logged in.

    Dash gives no key for a handle that it did not sign.
    """
    return key is not None and key.endswith(_mark(visit()))


def _tell_claims(handle: Handle, what: Callable[[JobClaims, str], None]) -> None:
    """Have the inputs of a job live on, or let go of them."""
    with suppress(StoreError):  # their ttl sees to it then
        asking = visit()
        if asking.session is not None:
            what(JobClaims(asking), handle.key)


def share_cancels(app: dash.Dash) -> None:
    """Let :class:`Jobs` end all jobs of an Input for ``cancel=`` that plain callbacks share with ours.

    Dash takes the manager of the last callback, and a plain one cannot read our handles.
    """
    callbacks = [one for one in app.callback_map.values() if not one.get("background")]
    for declared in [one["background"] for one in app.callback_map.values() if one.get("background")]:
        if isinstance(declared.get("manager"), Jobs):
            for callback in callbacks:
                if callback.get("inputs") in [[one] for one in declared.get("cancel", [])]:
                    callback["manager"] = declared["manager"]
