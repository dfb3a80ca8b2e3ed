"""``configure()`` and the environment: the settings of a process, its store and its keys."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias

from dash_brain.common import signing
from dash_brain.common.signing import KeyRing, master_from
from dash_brain.common.sizes import parse_size
from dash_brain.errors import AlreadyConfigured
from dash_brain.stores import open_store
from dash_brain.stores.base import Bounded, Store, check_abilities
from dash_brain.stores.registry import StoreLike

Secret: TypeAlias = "str | bytes"

#: Returns the user who is logged in, in a request; None: nobody is.
Principal: TypeAlias = "Callable[[], str | int | None]"

#: Who may read metrics: who knows a bearer token, or whom a function of the request's headers lets.
MetricsGuard: TypeAlias = "str | Callable[[Mapping[str, str]], bool]"

#: How the browser keeps its session.
CookieMode: TypeAlias = 'Literal["lax", "iframe", "page"]'

#: What happens to an argument whose token has no value.
OnMissing: TypeAlias = 'Literal["raise", "empty", "prevent"] | Callable[[Exception], Any]'

SESSION_TTL = 8 * 3600.0
GRACE = 60.0
MAX_SESSIONS = 10_000
_COOKIE_MODES = ("lax", "iframe", "page")
_LEAST_TOKEN = 16
LEAST_QUOTA = 256_000_000
_ON_MISSING = ("raise", "empty", "prevent")


@dataclass(frozen=True, repr=False)  # it has secrets
class Settings:
    """One configuration, with the store and the keys that belong to it, opened at first use."""

    store_or_url: Store | str | None = None
    secrets: tuple[Secret, ...] = ()
    app_id: str | None = None
    session_ttl: float = SESSION_TTL
    grace: float = GRACE
    max_sessions: int = MAX_SESSIONS
    principal: Principal | None = None
    session_quota: int | None = None
    on_missing: OnMissing = "raise"
    cookie: CookieMode = "lax"
    metrics: MetricsGuard | None = None

    @cached_property
    def store(self) -> Store:
        """The store that everything lies in."""
        store = open_store(self.store_or_url)
        check_abilities(store)
        store.check()
        return store

    @property
    def quota(self) -> int | None:
        """Bytes that a session may keep: as configured, else half of the store's budget; None: no bound.

        A store that spills to disk gives each session at least 256 MB: that evicts nothing of other sessions.
        """
        if self.session_quota is None:
            return _share(self.store, int(time.monotonic()))  # looked up once a second
        return self.session_quota

    @property
    def keys(self) -> KeyRing:
        """The keys that sign: the configured ones, else the one in the store.

        A store that was removed and made again has a new key, which all workers have to use at once.
        """
        return _key_ring(self.masters or (self.store.secret(),))

    @cached_property
    def masters(self) -> tuple[bytes, ...]:
        """The configured keys; a store on the network has no other."""
        return tuple(master_from(secret) for secret in self.secrets)

    def sign_as(self, secrets: Sequence[Secret]) -> None:
        """Sign with these secrets, where the store has no key of its own and none was configured."""
        if not self.secrets and open_store(self.store_or_url).shared == "network":
            vars(self)["masters"] = tuple(master_from(secret) for secret in secrets)


@lru_cache(maxsize=1)
def _share(store: Store, _: int) -> int | None:
    """Return the bytes of a store that one session may have."""
    if not isinstance(store, Bounded):
        return None
    least = LEAST_QUOTA if getattr(store, "spills", False) else 0
    return max(store.budget() // 2, least)


@lru_cache(maxsize=16)
def _key_ring(masters: tuple[bytes, ...]) -> KeyRing:
    return KeyRing(masters)


class _Current:
    """The settings of this process: made once, at ``configure()`` or at first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._used = False

    def configure(self, settings: Settings) -> None:
        with self._lock:
            if self._used and settings != self._settings:
                raise AlreadyConfigured(
                    "dash_brain is in use with other settings; call configure() once, before the first value "
                    "is stored or the first page is served."
                )
            self._settings = settings if self._settings != settings else self._settings

    def use(self) -> Settings:
        if self._used and self._settings is not None:
            return self._settings  # without a lock, which a forked job might find taken for ever
        with self._lock:
            if self._settings is None:
                self._settings = _settings()
            self._used = True
            return self._settings

    @property
    def given(self) -> Settings | None:
        """What was configured or used so far, None: nothing."""
        return self._settings

    def __reduce__(self) -> str:
        return "current"  # in another process: the one there

    def forget(self) -> None:
        """Begin anew, as in a fresh process."""
        with self._lock:
            self._settings, self._used = None, False


current = _Current()
signing.configured = lambda: current.use().masters


def configure(
    store: StoreLike | None = None,
    *,
    key: Secret | Sequence[Secret] | None = None,
    app_id: str | None = None,
    session_ttl: float | None = None,
    grace: float | None = None,
    max_sessions: int | None = None,
    principal: Principal | None = None,
    session_quota: int | str | None = None,
    on_missing: OnMissing | None = None,
    cookie: CookieMode | None = None,
    metrics: MetricsGuard | None = None,
) -> None:
    """Set up dash_brain for this process, before its first use.

    Each argument that is left out comes from the environment variable ``DASH_BRAIN_<NAME>`` (but for
    ``principal``), else from its default. Without any call, values lie in shared memory.

    Parameters
    ----------
    store
        A URL as :func:`~dash_brain.open_store` takes it, a store, or a ``flask_caching.Cache``.
    key
        Secret that signs tokens and cookies, at least 16 bytes; of a list the first signs and all
        verify. Without it, all processes that open the store share a key that lies in it.
    app_id
        Identity of the Dash app; apps with the same one share sessions and ServerStores. By default
        the app's name and path prefix.
    session_ttl
        Seconds that a session and what belongs to it live on without being used; 8 hours.
    grace
        Seconds that an object lives on when no page holds it any more; 60.
    max_sessions
        Sessions that an app may have; when there are more, the longest-idle one goes; 10,000.
    principal
        Function that says who is logged in: called without arguments in a request, at most once, it
        returns what tells one user from another (a str or an int), or None for nobody. Who logs in or out
        is in another session then. What it raises is raised.
    session_quota
        Bytes that the values of one session may take, also as text: ``"500MB"``. A session that would have
        more loses those first that it used longest ago. By default half of the store's budget; at least
        256 MB where what has no room in shared memory goes to disk.
    on_missing
        What happens to an argument whose token has no value: see :func:`~dash_brain.brain_callback`.
    cookie
        How the browser keeps its session. ``"lax"`` (default): in a cookie of this site. ``"iframe"``: in
        one that also works when the app stands in a page of another site; https only. ``"page"``: in no
        cookie; each page that is loaded is a session of its own, and a weaker one.
    metrics
        Who may read metrics at the path ``_dash-brain-metrics`` of the app, in the format of Prometheus: who
        sends this text, of 16 characters or more, as ``Authorization: Bearer ...``; or whom a function of the
        request's headers lets, by returning True. By default there is no such path.

    Raises
    ------
    AlreadyConfigured
        When dash_brain is in use with other settings.
    ValueError
        For a weak key, a number that is not positive, what is no size, an unknown ``on_missing`` or
        ``cookie``, a short token for ``metrics``, or a cache where no store can lie.
    TypeError
        When ``principal`` is no function, or ``metrics`` neither text nor a function.

    Examples
    --------
    >>> from dash_brain import configure
    >>> configure("memory://example", session_ttl=3600)
    """
    given = _settings(
        store=store if store is None or isinstance(store, str) else open_store(store),
        key=key,
        app_id=app_id,
        session_ttl=session_ttl,
        grace=grace,
        max_sessions=max_sessions,
        principal=principal,
        session_quota=session_quota,
        on_missing=on_missing,
        cookie=cookie,
        metrics=metrics,
    )
    current.configure(given)


def _settings(
    *,
    store: Store | str | None = None,
    key: Secret | Sequence[Secret] | None = None,
    app_id: str | None = None,
    session_ttl: float | None = None,
    grace: float | None = None,
    max_sessions: int | None = None,
    principal: Principal | None = None,
    session_quota: int | str | None = None,
    on_missing: OnMissing | None = None,
    cookie: CookieMode | None = None,
    metrics: MetricsGuard | None = None,
) -> Settings:
    """Return settings of what is given, and of the environment for what is not."""
    secret = key if key is not None else os.environ.get("DASH_BRAIN_KEY")
    if secret is not None and not secret:
        raise ValueError("key= (or DASH_BRAIN_KEY) is empty; leave it out, or give at least one key.")
    secrets = (secret,) if isinstance(secret, (str, bytes)) else tuple(secret or ())
    quota = session_quota if session_quota is not None else os.environ.get("DASH_BRAIN_SESSION_QUOTA")
    for one in secrets:
        master_from(one)  # a weak key is refused here, not at the first request
    return Settings(
        store_or_url=store if store is not None else os.environ.get("DASH_BRAIN_STORE"),
        secrets=secrets,
        app_id=app_id or os.environ.get("DASH_BRAIN_APP_ID"),
        session_ttl=_positive("session_ttl", session_ttl, SESSION_TTL),
        grace=_positive("grace", grace, GRACE),
        max_sessions=int(_positive("max_sessions", max_sessions, MAX_SESSIONS)),
        principal=_checked_principal(principal),
        session_quota=None if quota is None else parse_size(quota),
        on_missing=check_on_missing(on_missing or os.environ.get("DASH_BRAIN_ON_MISSING") or "raise"),
        cookie=_checked_mode(cookie or os.environ.get("DASH_BRAIN_COOKIE") or "lax"),
        metrics=_checked_guard(metrics if metrics is not None else os.environ.get("DASH_BRAIN_METRICS")),
    )


def check_on_missing(on_missing: Any) -> OnMissing:
    """Return ``on_missing`` when it is one of the known ways, else raise ``ValueError``."""
    if on_missing in _ON_MISSING or callable(on_missing):
        return on_missing  # type: ignore[no-any-return]
    raise ValueError(f"on_missing must be one of {', '.join(_ON_MISSING)} or a function of the exception.")


def _checked_principal(principal: Any) -> Principal | None:
    if principal is None or callable(principal):
        return principal  # type: ignore[no-any-return]
    raise TypeError("principal= is a function that says who is logged in; it is called in each request.")


def _checked_guard(metrics: Any) -> MetricsGuard | None:
    if isinstance(metrics, str) and len(metrics) < _LEAST_TOKEN:
        raise ValueError(
            f"metrics= (or DASH_BRAIN_METRICS) is a bearer token of {_LEAST_TOKEN} characters or more, as "
            "secrets.token_urlsafe() makes one."
        )
    if metrics is None or isinstance(metrics, str) or callable(metrics):
        return metrics  # type: ignore[no-any-return]
    raise TypeError("metrics= is a bearer token, or a function of the headers that says who may read.")


def _checked_mode(cookie: Any) -> CookieMode:
    if cookie in _COOKIE_MODES:
        return cookie  # type: ignore[no-any-return]
    raise ValueError(f"cookie= (or DASH_BRAIN_COOKIE) must be one of {', '.join(_COOKIE_MODES)}.")


def _positive(name: str, given: float | None, default: float) -> float:
    number = float(given if given is not None else os.environ.get(f"DASH_BRAIN_{name.upper()}", default))
    if not number > 0:
        raise ValueError(f"{name} must be a positive number.")
    return number
