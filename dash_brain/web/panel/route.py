"""The answers to the panel: what its session holds, a value that is removed, and a value as a file.

As with claims, the panel asks by the route of callbacks, and only our script can ask. It is answered for the
session of its cookie alone: another session's value cannot be named.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from dash_brain import codec
from dash_brain.errors import BadToken, ValueMissing
from dash_brain.stores.base import Place
from dash_brain.web import sessions, tokens
from dash_brain.web.leases.claim import MOST_BYTES, MOST_STORES
from dash_brain.web.panel import files
from dash_brain.web.panel.report import report
from dash_brain.web.servers import Request, Response, current_request
from dash_brain.web.sessions import Caller
from dash_brain.web.sessions.request_session import is_of_our_script

#: The id of the callback, as an output.
OUTPUT = "_dash-brain-panel.data"


class Question(NamedTuple):
    """What the panel asks for: ``look``, or to ``drop`` or ``download`` a value.

    A value has a token, a ``name`` in ``session_brain``, or a key as the ``result`` of a function.
    """

    do: str
    page: str = ""
    held: tuple[str, ...] = ()
    token: str | None = None
    name: str | None = None
    result: str | None = None


class Refused(Exception):
    """There is no answer for a reason that the panel shows.

    It is in the body of the answer: in debug mode, Dash makes a server error of every other status.
    """


def answer(asked: object = None, *_: Any, **__: Any) -> Any:
    """Answer a question of the panel: JSON, or the file of a value."""
    request = current_request()
    assert request is not None  # Dash calls this in requests only
    if not is_of_our_script(request):
        request.refuse(403)
    question = _parsed(asked)
    if question is None:
        request.refuse(400)
    try:
        return _ANSWERS[question.do](request, _caller(), question)
    except Refused as why:
        return json.dumps({"refused": str(why)})


def _caller() -> Caller:
    caller = sessions.current_caller()
    if caller.session is None:
        raise Refused("no session")
    return caller


def _parsed(asked: object) -> Question | None:
    """Return a question from JSON; None for what the panel does not send."""
    try:
        said: Any = json.loads(asked) if isinstance(asked, str) and len(asked) <= MOST_BYTES else None
        question = Question(**{**said, "held": tuple(said.get("held", ()))})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    texts = [question.do, question.page, *question.held, *question[3:]]
    is_sound = len(question.held) <= MOST_STORES and all(isinstance(one, str | None) for one in texts)
    return question if is_sound and question.do in _ANSWERS else None


def _look(_: Request, caller: Caller, question: Question) -> str:
    return json.dumps(report(caller, question.page, question.held))


def _drop(_: Request, caller: Caller, question: Question) -> str:
    """Remove a value of the session, and say whether it was there."""
    namespace, key = _place(caller, question)
    if namespace.partition("/")[2] != caller.session:
        raise Refused("shared")
    return json.dumps(caller.settings.store.delete(namespace, key))


def _download(request: Request, caller: Caller, question: Question) -> bytes:
    """Return a value as a file."""
    store, place = caller.settings.store, _place(caller, question)
    try:
        info = store.info(*place)
        kind = str(info.meta.get("type", ""))
        if files.suffix_for(kind, info.nbytes) is None:
            raise files.NoFile(kind)
        made = files.file_of(kind, codec.decode(store.get(*place)))
    except ValueMissing:
        raise Refused("gone") from None
    except files.NoFile:
        raise Refused("no format") from None
    request.before_sending(lambda response: _as_file(response, made))
    return made.content


def _as_file(response: Response, made: files.File) -> None:
    response.set_header("Content-Type", made.media_type)
    response.set_header("Content-Disposition", f'attachment; filename="value.{made.suffix}"')
    response.set_header("X-Content-Type-Options", "nosniff")


def _place(caller: Caller, question: Question) -> Place:
    """Return where the value lies that is asked for."""
    if question.name is not None:
        return caller.names, question.name
    if question.result is not None:
        return caller.namespace("session-memo"), question.result
    try:
        return tokens.verify(caller.keys, caller.namespaces, question.token)
    except BadToken:
        raise Refused("gone") from None


_ANSWERS: dict[str, Callable[[Request, Caller, Question], Any]] = {
    "look": _look,
    "drop": _drop,
    "download": _download,
}
