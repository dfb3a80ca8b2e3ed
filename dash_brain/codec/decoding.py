"""Frames -> value."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from dash_brain.codec.explain import explain_decoding
from dash_brain.codec.proof import is_fault
from dash_brain.errors import DecodeError

if TYPE_CHECKING:
    from dash_brain.common.frames import Frames


def decode(frames: Frames) -> Any:
    """Return the value that was encoded to these frames, viewing them instead of copying.

    Parameters
    ----------
    frames
        What ``encode`` returned, as authenticated by the store. Whoever calls this hands over bytes that
        run code when they are forged. Buffers that are writable give arrays that are writable.

    Returns
    -------
    object
        A value equal to the one encoded, of the same types.

    Raises
    ------
    DecodeError
        When this process cannot rebuild the value, for example because it lacks a module. The message
        says what is missing and what to do.

    Examples
    --------
    >>> from dash_brain.codec import encode
    >>> decode(encode(("a", {1, 2})))
    ('a', {1, 2})
    """
    try:
        return pickle.loads(frames[0], buffers=frames[1:])
    except MemoryError:
        raise
    except BaseException as error:
        if not is_fault(error):
            raise
        raise DecodeError(explain_decoding(frames, error)) from error
