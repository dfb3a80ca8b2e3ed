"""Value -> frames."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING

from dash_brain.codec.explain import explain_encoding, explain_rebuilding
from dash_brain.codec.proof import doubtful, is_fault, trouble
from dash_brain.codec.reducers import Reducers
from dash_brain.errors import EncodeError, SessionInSharedResult

if TYPE_CHECKING:
    from dash_brain.common.frames import Frame

#: Buffers below this many bytes stay in the stream: copying them costs less than a frame of their own.
SMALL = 1024


def encode(value: object) -> list[Frame]:
    """Return the frames of a value: a pickle stream, then the buffers that it refers to.

    The buffers are views of the value's own memory: store them before the value changes.

    Parameters
    ----------
    value
        Anything that pickle can store, including shared references and cycles. Arrays come back
        writable even when the stored one was read-only: what a reader gets is its own.

    Returns
    -------
    list
        The stream, then contiguous bytes-like buffers of at least 1 KB each.

    Raises
    ------
    EncodeError
        When a part of the value cannot be stored, or could not be rebuilt; the message names the path to it,
        its type and a way out, and never prints a value.

    Examples
    --------
    >>> frames = encode({"year": 2024, "total": 12.5})
    >>> len(frames)
    1
    >>> from dash_brain.codec import decode
    >>> decode(frames)
    {'year': 2024, 'total': 12.5}

    >>> encode({"year": 2024, "label": lambda year: str(year)})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    dash_brain.errors.EncodeError: value['label']: function <lambda> cannot be stored. ...
    """
    frames: list[Frame] = []

    def stays_in_stream(buffer: pickle.PickleBuffer) -> bool:
        view = buffer.raw()
        if view.nbytes < SMALL:
            return True
        frames.append(view)
        return False

    # A table of reducers for the C pickler: a Python ``reducer_override`` is called for every object.
    pickler = pickle.Pickler(stream := io.BytesIO(), 5, buffer_callback=stays_in_stream)
    pickler.dispatch_table = reducers = Reducers()
    try:
        pickler.dump(value)
    except (MemoryError, SessionInSharedResult):
        raise
    except BaseException as error:
        if not is_fault(error):
            raise
        raise EncodeError(explain_encoding(value, error)) from error
    frames.insert(0, stream.getvalue())
    if reducers and (classes := doubtful(reducers)):
        _prove(value, frames, classes)
    return frames


def _prove(value: object, frames: list[Frame], classes: set[type]) -> None:
    error = trouble(frames, classes)
    if error is not None:
        raise EncodeError(explain_rebuilding(value, classes, error)) from error
