"""A manager of background callbacks on a store of dash_brain."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dash.background_callback.managers import BaseBackgroundCallbackManager

from dash_brain.adapters.detached import check_platform, run_detached
from dash_brain.adapters.values import Values
from dash_brain.errors import BrainError, StoreError, StoreUnavailable, ValueConflict, ValueMissing
from dash_brain.stores import Store
from dash_brain.stores.base import ABSENT, needs_lock
from dash_brain.web.dash_internals import job_function

#: Seconds that a result waits for its page, and that it is known that a job is over.
RESULT = 3600.0
#: Seconds after which a job counts as dead whose guard does not say any more that it runs.
ALIVE = 30.0
#: The same, when it has ended.
_ONCE_MORE = 5.0

#: What the keys of progress and of properties end with, which Dash's function of a job writes.
_PROGRESS, _PROPS = "-progress", "-set_props"

_DIED = (
    "The process of this background callback {how}, without a result. The kernel kills what takes too much "
    "memory; its log says so, and the server's has what the process has printed."
)
_ONE_PROCESS = (
    "The jobs of BrainManager are processes of their own, which share no memory:// with the app: use shm://, "
    "file:// or redis://."
)


class BrainManager(BaseBackgroundCallbackManager):
    """Runs background callbacks in processes of their own, and keeps what they return in a store.

    It needs nothing but dash_brain. Jobs are forked from the worker that starts them, and outlive it. All
    workers that open the store know of them.

    Parameters
    ----------
    store
        A store or its URL; by default the one of ``configure()``. It may not be ``memory://``.
    cache_by
        Functions without arguments, as ``DiskcacheManager`` takes them: results are kept by what they return
        and the arguments, and no job starts for one that is there. With ``brain_callback`` use ``memoize=``.
    expire
        Seconds that a result lives.

    Raises
    ------
    BrainError
        Where processes cannot be forked, as on Windows.

    Examples
    --------
    >>> from dash import Dash
    >>> from dash_brain.adapters.background import BrainManager
    >>> app = Dash("app", background_callback_manager=BrainManager())
    """

    def __init__(
        self,
        store: Store | str | None = None,
        cache_by: Callable[[], Any] | list[Callable[[], Any]] | None = None,
        expire: float = RESULT,
    ) -> None:
        check_platform()
        self._values = Values(store, "background/results")
        self._jobs = Values(store, "jobs/background")
        self._expire = expire
        super().__init__(cache_by)  # type: ignore[no-untyped-call]

    def make_job_fn(self, fn: Callable[..., Any], progress: bool, key: Any = None) -> Callable[..., None]:
        """Return what calls the function in the process of the job."""
        return job_function(fn, _Results(self), progress)

    def call_job_fn(self, key: str, job_fn: Callable[..., None], args: Any, context: Any) -> str:
        """Start a job, unless its result is there, and return its id."""
        if self._values.store.shared == "process":
            raise StoreUnavailable(_ONE_PROCESS)
        job = secrets.token_hex(16)
        if self.cache_by is not None and self.result_ready(key):
            self._end(job)
            return job

        self._jobs.put(job, "running", ALIVE)
        try:
            run_detached(
                lambda: job_fn(key, key + _PROGRESS, args, context),
                lambda: self._is_wanted(job),
                lambda how: self._ended(job, key, how),
            )
        except OSError:
            self._end(job)
            raise
        return job

    def job_running(self, job: str | None) -> bool:
        """Say whether a job runs."""
        return job is not None and self._jobs.has(job)

    def terminate_job(self, job: str | None) -> None:
        """Cancel a job: its guard sees that within a moment, on whatever host."""
        if job is not None:
            self._end(job)

    def terminate_unhealthy_job(self, job: str | None) -> bool:
        """Do nothing: the guard of a job ends it."""
        return False

    def get_progress(self, key: str) -> Any:
        """Return what the job has passed to ``set_progress`` last, once; None: nothing since."""
        return self._take(key + _PROGRESS)

    def result_ready(self, key: str) -> bool:
        """Say whether there is a result."""
        return self._values.has(key)

    def get_result(self, key: str, job: str | None) -> Any:
        """Return the result of a job, which is deleted unless results are cached.

        ``UNDEFINED``: there is none yet, or the job was cancelled. A job that is dead has an error.
        """
        try:
            result = self._values.get(key)
        except ValueMissing:
            if job is None or self.job_running(job) or self._jobs.has(_over(job)):
                return self.UNDEFINED
            result = _failure(_DIED.format(how="is gone"))
        if self.cache_by is None or _is_failure(result):
            self.clear_cache_entry(key)
        self.clear_cache_entry(key + _PROGRESS)
        return result

    def get_updated_props(self, key: str) -> dict[str, dict[str, Any]]:
        """Return all that the job has set by ``set_props`` since the last call."""
        name = key + _PROPS
        if not self._values.has(name):  # the common case, without a lock
            return {}
        with self._locked(name):
            return self._take(name) or {}

    def clear_cache_entry(self, key: str) -> None:
        """Delete a result."""
        self._values.delete(key)

    def get_or_create_signing_secret(self, generate: Callable[[], bytes]) -> bytes:
        """Return the secret with which all workers sign the handles of jobs."""
        with suppress(ValueConflict):
            self._values.put(self.SIGNING_SECRET_KEY, generate(), None, replaces=ABSENT)
        return bytes(self._values.get(self.SIGNING_SECRET_KEY))

    def put(self, key: str, value: Any) -> None:
        """Keep a result, or progress."""
        self._values.put(key, value, self._expire)

    def put_result(self, key: str, result: Any) -> None:
        """Keep a result, or the error that it cannot be stored."""
        try:
            self.put(key, result)
        except BrainError as error:
            self.put(key, _failure(str(error), traceback.format_exc()))

    def merge_props(self, name: str, updates: dict[str, dict[str, Any]]) -> None:
        """Add properties to those that the page has not fetched yet."""
        with self._locked(name):
            waiting = self._take(name) or {}
            self.put(name, waiting | {one: {**waiting.get(one, {}), **updates[one]} for one in updates})

    def _take(self, name: str) -> Any:
        """Return and delete a value; a newer one that came meanwhile stays."""
        store, place = self._values.store, (self._values.namespace, name)
        try:
            object_id = store.info(*place).object_id
            value = self._values.get(name)
        except ValueMissing:
            return None
        store.delete(*place, object_id=object_id)
        return value

    def _locked(self, name: str) -> Any:
        return needs_lock(self._values.store).lock(f"{self._values.namespace}/{name}")

    def _is_wanted(self, job: str) -> bool:
        """Say that a job runs, and whether it shall."""
        with suppress(StoreError):  # away for a moment
            try:
                self._jobs.store.touch(self._jobs.namespace, job, ALIVE)
            except ValueMissing:
                if self._jobs.has(_over(job)):
                    return False
                self._jobs.put(job, "running", ALIVE)  # the machine was asleep for long
        return True

    def _ended(self, job: str, key: str, how: str) -> None:
        """Note that the process of a job has ended; the page that waits gets an error if it was not done."""
        with suppress(StoreError, ValueMissing):  # it is away, and the note of the job expires
            if how and not self._jobs.has(_over(job)):
                self.put(key, _failure(_DIED.format(how=how)))
            self._jobs.put(_over(job), "over", RESULT)
            # Who looked for the result just before it was there looks again only while the job runs.
            self._jobs.store.touch(self._jobs.namespace, job, _ONCE_MORE)

    def _end(self, job: str) -> None:
        self._jobs.put(_over(job), "over", RESULT)
        self._jobs.delete(job)


class _Results:
    """The results as Dash's function of a job writes them, which takes them for a ``diskcache.Cache``."""

    def __init__(self, manager: BrainManager) -> None:
        self._manager = manager

    def set(self, key: str, value: Any, expire: float | None = None) -> None:
        """Keep a value; what ``set_props`` sets is added to what waits for the page."""
        if key.endswith(_PROPS):
            self._manager.merge_props(key, value)
        elif key.endswith(_PROGRESS):
            self._manager.put(key, value)
        else:
            self._manager.put_result(key, value)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the default: what waits for the page is merged in the store."""
        return default


def _over(job: str) -> str:
    return f"{job}-over"


def _failure(text: str, trace: str = "") -> dict[str, Any]:
    """Return the result by which Dash raises a ``BackgroundCallbackError``."""
    return {"background_callback_error": {"msg": text, "tb": trace}}


def _is_failure(result: Any) -> bool:
    return isinstance(result, dict) and "background_callback_error" in result
