"""A value for a token, and back.

    value -> codec.encode -> store.put -> tokens.mint -> browser
    browser -> tokens.verify -> store.get -> codec.decode -> value

Who asks decides where a value lies and which tokens open.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

from dash_brain import codec
from dash_brain.errors import BadToken, StoreError, ValueMissing
from dash_brain.settings import Settings, current
from dash_brain.shared_results import refuse
from dash_brain.stores.base import new_object_id
from dash_brain.stores.namespaces import VALUE
from dash_brain.web import tokens
from dash_brain.web.dash_internals import known_apps, requested_app
from dash_brain.web.ids import canonical
from dash_brain.web.jobs.errands import errand
from dash_brain.web.leases import LEASE, UNCLAIMED, reading, superseded
from dash_brain.web.memo import recipes
from dash_brain.web.memo.records import Held
from dash_brain.web.registry import Registry
from dash_brain.web.sessions import Visit, visit
from dash_brain.web.sessions.ids import app_identity
from dash_brain.web.sessions.refusals import log_bad_token, value_missing
from dash_brain.web.tokens import Token
from dash_brain.web.wiring import check_sent, suspects


def to_token(value: Any, scope: str = "session") -> Token:
    """Store a value and return the token that stands for it in the browser.

    ``brain_callback`` does this by itself; this is for plain ``dash.callback`` code. The value lives while
    a page holds its token in a ServerStore; elsewhere, as in a ``dcc.Store``, for a few minutes after it was
    read last (a value of the app: for ``session_ttl``).

    Parameters
    ----------
    value
        Anything that can be stored; see :func:`dash_brain.codec.encode`.
    scope
        ``"session"``: only the session that asks can use the token. ``"app"``: every session of the app
        can.

    Returns
    -------
    Token
        Fewer than 100 characters.

    Raises
    ------
    EncodeError
        When the value cannot be stored.
    NoSession
        When no browser session is asking.
    StoreFull, StoreUnavailable
        When the store has no room or cannot be reached.

    Examples
    --------
    >>> from dash import Input, Output, callback
    >>> from dash_brain import to_token
    >>> @callback(Output("orders", "data"), Input("year", "value"))
    ... def load(year):
    ...     return to_token(list(range(year)))
    """
    if scope not in ("session", "app"):
        raise ValueError("scope is 'session' or 'app'.")
    if scope == "session":
        refuse('to_token(scope="session")')
    return store_value(visit(), value, scope)


def from_token(token: str) -> Any:
    """Return the value that a token stands for, private to the caller.

    Raises
    ------
    BadToken
        When it is none of this session's tokens.
    ValueMissing
        When its value is gone.
    NoSession
        When no browser session is asking.

    Examples
    --------
    >>> from dash import Input, Output, callback
    >>> from dash_brain import from_token
    >>> @callback(Output("count", "children"), Input("orders", "data"))
    ... def count(token):
    ...     return len(from_token(token))
    """
    return resolve(visit(), token)


def store_value(visit: Visit, value: Any, scope: str = "session", *, store_id: Any = None) -> Token:
    """Store a value in a namespace of the visit, for a ServerStore if that is known, and mint its token."""
    settings, namespace = visit.settings, visit.namespace(scope)
    frames = codec.encode(value)
    key = new_object_id()
    ttl = settings.session_ttl
    if scope == "session":
        ttl = UNCLAIMED if errand() is None else LEASE  # a page may ask for a job's result much later
    meta = {"type": codec.type_name(value)}
    settings.store.put(namespace, key, frames, ttl=ttl, meta=meta, retention=VALUE.within(settings.quota))
    if store_id is not None and ttl == UNCLAIMED:
        superseded.note(visit, canonical(store_id), key, UNCLAIMED)
    return tokens.mint(visit.keys, scope, namespace, key)


def store_by_content(visit: Visit, value: Any) -> Token:
    """Store what stands in a layout, once for equal content, however often the layout is served."""
    settings = current.use()
    scope = "session" if visit.session is not None else "app"
    namespace = visit.namespace(scope)
    frames = codec.encode(value)
    # Keyed, so that a token does not tell who holds the same content.
    key = visit.keys.newest.mac("content", namespace, codec.fingerprint(frames)).hex()[:32]
    try:
        settings.store.touch(namespace, key, LEASE)
    except ValueMissing:
        meta = {"type": codec.type_name(value)}
        settings.store.put(
            namespace, key, frames, ttl=LEASE, meta=meta, retention=VALUE.within(settings.quota)
        )
    return tokens.mint(visit.keys, scope, namespace, key)


def resolve(visit: Visit, token: object, store: str | None = None) -> Any:
    """Return the value of a token that came from the browser, for ``data`` of a ServerStore."""
    found = verified(visit, token, store)
    try:
        return resolve_verified(found)
    except ValueMissing as error:
        why = reading.why_expired(visit, found) if error.reason == "expired" else ""
        raise value_missing(visit.app_id, error, why) from error.__cause__


def verified(visit: Visit, token: object, store: str | None = None) -> tokens.Verified:
    """Return where the object of a token lies that came from the browser, and let it live on."""
    try:
        found = tokens.verify(visit.keys, visit.namespaces, token)
    except BadToken:
        refuse("A token of a session")
        hint = "" if store is None else _hint(visit, store)
        log_bad_token(visit.app_id, visit.session, token, hint, store or "")
        if store is None:
            raise
        raise BadToken(f"{_NO_TOKEN.format(store=store)}{hint}") from None
    reading.renew(visit, found, store or "")
    return found


_NO_TOKEN = (
    "What came for data of ServerStore {store!r} is no valid token of this session. The page may be older "
    "than the server's key or the session: reload it, or choose what happens with brain_callback(..., "
    "on_missing=...). Or something else than a brain_callback wrote to it, which puts no token there: a "
    "dash.callback, a clientside callback, running=, dash.set_props. Use brain_callback and the set_props "
    "of dash_brain."
)
_UNKNOWN = (
    " No page has shown a component {store!r} so far as is known. If it is no ServerStore, use dash.callback "
    "for it, or name it in app.validation_layout."
)


def _hint(visit: Visit, store: str) -> str:
    """Return what else is known of who may have written to a ServerStore."""
    known = registry(visit)
    hint = "" if "[" in store or store in known else _UNKNOWN.format(store=store)
    return f"{hint}{suspects(requested_app(), store)}"


def resolve_verified(found: tokens.Verified) -> Any:
    """Return the value of a verified token; one that was memoized and evicted is computed again."""
    store = current.use().store
    try:
        return codec.decode(store.get(*found))
    except ValueMissing:
        if not recipes.is_remembered(store, found):
            raise
    return recipes.compute_again(store, found, resolve_verified)


def mint(visit: Visit, held: Held) -> Token:
    """Return the token of a value that is there."""
    return tokens.mint(visit.keys, held.scope, visit.namespace(held.scope), held.object_id)


def discard(visit: Visit, token: Token) -> None:
    """Delete the object of a token that never reached a browser."""
    settings = current.use()
    namespace, object_id = tokens.verify(visit.keys, visit.namespaces, token)
    with suppress(StoreError):  # its ttl sees to it then
        settings.store.delete(namespace, object_id)


def registry(visit: Visit) -> Registry:
    """Return the registry of ServerStore ids of the app that is asked."""
    return _registry(visit.settings, visit.app_id)


def enter(visit: Visit, component_id: Any) -> None:
    """Let all workers know of a ServerStore, and hold the app's callbacks against it."""
    registry(visit).add(component_id)
    app = requested_app()
    if app is not None:
        check_sent(app, visit.app_id, component_id)


def registry_asked() -> Registry:
    """Return the registry of the app that is asked, whoever asks."""
    job, settings = errand(), current.use()
    app_id = app_identity(settings, requested_app()) if job is None else job.app_id
    return _registry(settings, app_id)


@lru_cache(maxsize=256)
def _registry(settings: Settings, app_id: str) -> Registry:
    apps = (app for app in (requested_app(), *known_apps()) if app is not None)
    return Registry(
        settings.store, app_id, next((app for app in apps if app_identity(settings, app) == app_id), None)
    )
