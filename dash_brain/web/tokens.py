"""Tokens: the signed strings that stand for objects in the browser.

    db1.<kid>.<scope><object id>.<signature>

The signature covers the namespace that the token was minted for, though the namespace is not in it: a
token is not valid in another session or app. A token carries no path, no
type and nothing that is ever unpickled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from dash_brain.codec.stable import named
from dash_brain.common.signing import KeyRing
from dash_brain.errors import BadToken
from dash_brain.shared_results import refuse

#: Scopes and the letter that stands for each in a token.
SCOPES = {"session": "s", "app": "a", "session-memo": "n", "memo": "m"}

_SCOPE_OF = {letter: scope for scope, letter in SCOPES.items()}
_LABEL = "token"
_FORM = re.compile(r"db1\.([0-9a-f]{8})\.([sanm])([0-9a-f]{32})\.([A-Za-z0-9_-]{43})", re.ASCII)
_LENGTH = 4 + 8 + 1 + 33 + 1 + 43


@named("Token")
class Token(str):
    """A token in Python: the one kind of ``str`` that passes through a ServerStore as a token."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle as a str does, but refuse that for a session's token in a shared result."""
        form = _FORM.fullmatch(self)
        if form is not None and _SCOPE_OF[form[2]].startswith("session"):
            refuse("A token of a session")
        return super().__reduce_ex__(protocol)


class Verified(NamedTuple):
    """The namespace and id of a verified token's object."""

    namespace: str
    object_id: str


def mint(keys: KeyRing, scope: str, namespace: str, object_id: str) -> Token:
    """Return the token of an object, valid for ``namespace`` alone.

    Examples
    --------
    >>> from dash_brain.common.signing import KeyRing
    >>> token = mint(KeyRing([b"0" * 32]), "session", "session/1f", "00" * 16)
    >>> len(token)
    90
    """
    letter = SCOPES[scope]
    signature = keys.newest.signature(_LABEL, namespace, letter, object_id)
    return Token(f"db1.{keys.newest.kid}.{letter}{object_id}.{signature}")


def verify(keys: KeyRing, namespaces: Mapping[str, str], value: object) -> Verified:
    """Verify a token, and return the namespace and id of its object.

    Parameters
    ----------
    keys
        The keys that may have signed it.
    namespaces
        Scope to namespace, for the caller.
    value
        What came from the browser: anything JSON can hold.

    Raises
    ------
    BadToken
        For everything else, always with the same message.
    """
    form = _FORM.fullmatch(value) if isinstance(value, str) and len(value) == _LENGTH else None
    if form is None:
        raise _bad()
    kid, letter, object_id, signature = form.groups()
    key = keys.by_kid.get(kid)
    namespace = namespaces.get(_SCOPE_OF[letter])
    if key is None or namespace is None or not key.signs(signature, _LABEL, namespace, letter, object_id):
        raise _bad()
    return Verified(namespace, object_id)


def kid_in(value: object) -> str | None:
    """Return the kid in a token, which is not verified; None for what has no token's form."""
    form = _FORM.fullmatch(value) if isinstance(value, str) else None
    return None if form is None else form[1]


def _bad() -> BadToken:
    return BadToken(
        "This is no valid token of this session. The page may be older than the server's key or the "
        "session: reload it, or choose what happens with brain_callback(..., on_missing=...)."
    )
