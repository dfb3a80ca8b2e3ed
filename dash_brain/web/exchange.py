"""A value for a token, and back.

    value -> codec.encode -> store.put -> tokens.mint -> browser
    browser -> tokens.verify -> store.get -> codec.decode -> value

The caller decides in which namespace a value lies, and which tokens are valid.
"""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import Any

from dash_brain import codec
from dash_brain.errors import BadToken, StoreError, ValueMissing
from dash_brain.settings import current
from dash_brain.shared_results import refuse
from dash_brain.stores.base import new_object_id
from dash_brain.stores.namespaces import VALUE
from dash_brain.web import server_timing, tokens
from dash_brain.web.apps import requested_app
from dash_brain.web.component_ids import canonical
from dash_brain.web.component_registry import registry_of
from dash_brain.web.leases import LEASE, UNCLAIMED, reading, superseded
from dash_brain.web.recipes import recompute
from dash_brain.web.recipes.records import ObjectRef
from dash_brain.web.sessions import Caller, current_caller
from dash_brain.web.sessions.job_context import current_job
from dash_brain.web.sessions.refusals import log_bad_token, value_missing_error
from dash_brain.web.tokens import Token
from dash_brain.web.wiring.callbacks import check_sent, suspects


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
        ``"session"``: only the caller's session can use the token. ``"app"``: every session of the app
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
        When the caller has no session.
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
    return store_value(current_caller(), value, scope)


def from_token(token: str) -> Any:
    """Return the value that a token stands for, private to the caller.

    Raises
    ------
    BadToken
        When it is none of this session's tokens.
    ValueMissing
        When its value is gone.
    NoSession
        When the caller has no session.

    Examples
    --------
    >>> from dash import Input, Output, callback
    >>> from dash_brain import from_token
    >>> @callback(Output("count", "children"), Input("orders", "data"))
    ... def count(token):
    ...     return len(from_token(token))
    """
    return resolve(current_caller(), token)


def store_value(caller: Caller, value: Any, scope: str = "session", *, store_id: Any = None) -> Token:
    """Store a value in a namespace of the caller, for a ServerStore if one is named, and mint its token."""
    settings, namespace = caller.settings, caller.namespace(scope)
    began = perf_counter() if server_timing.is_on else None
    frames = codec.encode(value)
    key = new_object_id()
    ttl = settings.session_ttl
    if scope == "session":
        ttl = UNCLAIMED if current_job() is None else LEASE  # a page may ask for a job's result much later
    meta = codec.summary(value)
    if store_id is not None:
        meta["server_store"] = canonical(store_id)
    settings.store.put(namespace, key, frames, ttl=ttl, meta=meta, retention=VALUE.within(settings.quota))
    if began is not None:
        server_timing.note("put", began)
    if store_id is not None and ttl == UNCLAIMED:
        superseded.note(caller, meta["server_store"], key, UNCLAIMED)
    return tokens.mint(caller.keys, scope, namespace, key)


def store_by_content(caller: Caller, value: Any) -> Token:
    """Store a value of a layout, once for equal content, however often the layout is served."""
    settings = current.use()
    scope = "session" if caller.session is not None else "app"
    namespace = caller.namespace(scope)
    frames = codec.encode(value)
    # A keyed hash, so that a token does not reveal its content.
    key = caller.keys.newest.mac("content", namespace, codec.fingerprint(frames)).hex()[:32]
    try:
        settings.store.touch(namespace, key, LEASE)
    except ValueMissing:
        meta = codec.summary(value)
        settings.store.put(
            namespace, key, frames, ttl=LEASE, meta=meta, retention=VALUE.within(settings.quota)
        )
    return tokens.mint(caller.keys, scope, namespace, key)


def resolve(caller: Caller, token: object, store: str | None = None) -> Any:
    """Return the value of a token that came from the browser, for ``data`` of a ServerStore."""
    found = verified(caller, token, store)
    try:
        return resolve_verified(found)
    except ValueMissing as error:
        why = reading.why_expired(caller, found) if error.reason == "expired" else ""
        raise value_missing_error(caller.app_id, error, why, store or "") from error.__cause__


def verified(caller: Caller, token: object, store: str | None = None) -> tokens.Verified:
    """Return where the object of a token lies that came from the browser, and renew its lease."""
    try:
        found = tokens.verify(caller.keys, caller.namespaces, token)
    except BadToken:
        refuse("A token of a session")
        hint = "" if store is None else _hint(caller, store)
        log_bad_token(caller.app_id, caller.session, token, hint, store or "")
        if store is None:
            raise
        raise BadToken(f"{_NO_TOKEN.format(store=store)}{hint}") from None
    reading.renew(caller, found, store or "")
    return found


_NO_TOKEN = (
    "What came for data of ServerStore {store!r} is no valid token of this session. The page may be older "
    "than the server's key or the session: reload it, or choose what happens with brain_callback(..., "
    "on_missing=...). Or something else than a brain_callback wrote to it, which puts no token there: a "
    "dash.callback, a clientside callback, running=, dash.set_props. Use brain_callback and the set_props "
    "of dash_brain."
)
_UNKNOWN = (
    " No component {store!r} was sent to a page so far. If it is no ServerStore, use dash.callback "
    "for it, or name it in app.validation_layout."
)


def _hint(caller: Caller, store: str) -> str:
    """Return a hint at what may have written to a ServerStore."""
    known = registry_of(caller)
    hint = "" if "[" in store or store in known else _UNKNOWN.format(store=store)
    return f"{hint}{suspects(requested_app(), store)}"


def resolve_verified(found: tokens.Verified) -> Any:
    """Return the value of a verified token; one that was memoized and evicted is computed again."""
    store = current.use().store
    began = perf_counter() if server_timing.is_on else None
    try:
        value = codec.decode(store.get(*found))
    except ValueMissing:
        if not recompute.is_remembered(store, found):
            raise
    else:
        if began is not None:
            server_timing.note("get", began)
        return value
    return recompute.compute_again(store, found, resolve_verified)


def mint(caller: Caller, held: ObjectRef) -> Token:
    """Return the token of a stored value."""
    return tokens.mint(caller.keys, held.scope, caller.namespace(held.scope), held.object_id)


def discard(caller: Caller, token: Token) -> None:
    """Delete the object of a token that was never sent."""
    settings = current.use()
    namespace, object_id = tokens.verify(caller.keys, caller.namespaces, token)
    with suppress(StoreError):  # it expires
        settings.store.delete(namespace, object_id)


def register_server_store(caller: Caller, component_id: Any) -> None:
    """Register the id of a ServerStore that is sent, and check the app's callbacks against it."""
    registry_of(caller).add(component_id)
    app = requested_app()
    if app is not None:
        check_sent(app, caller.app_id, component_id)
