"""Turn a value into frames and back, exactly and without copying large buffers.

The first frame is a pickle stream of protocol 5, the others are its out-of-band buffers: views of the
value's own memory when encoding, views of the store's private mapping when decoding. What pickle alone
would copy into the stream (datetimes, strided arrays, object columns of strings, polars frames, slices of
Arrow tables) is taken apart by the modules beside this one, each loaded when the first value of its
library is met.

A class or function is stored by reference, as pickle does: the reader imports it from its module. One
that was defined in the script itself (``__main__``) can therefore be read only by processes that run the
same script; for all others ``decode`` says which class is missing and where to move it. There is no
fallback to serializers that store code.
"""

from __future__ import annotations

import io
import pickle
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from dash_brain.codec.diagnosis import explain_decoding, explain_encoding
from dash_brain.codec.names import type_name
from dash_brain.codec.reducers import Reducers
from dash_brain.errors import DecodeError, EncodeError, SessionInSharedResult

if TYPE_CHECKING:
    from dash_brain.stores.base import Frame, Frames

__all__ = ["decode", "encode", "fingerprint", "type_name"]

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
        When a part of the value cannot be stored; the message names the path to it, its type and a way
        out, and never prints a value.

    Examples
    --------
    >>> frames = encode({"year": 2024, "total": 12.5})
    >>> len(frames)
    1
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

    stream = io.BytesIO()
    # A table of reducers for the C pickler: a Python ``reducer_override`` is called for every object.
    pickler = pickle.Pickler(stream, 5, buffer_callback=stays_in_stream)
    pickler.dispatch_table = Reducers()
    try:
        pickler.dump(value)
    except (MemoryError, SessionInSharedResult):
        raise
    except Exception as error:
        raise EncodeError(explain_encoding(value, error)) from error
    return [stream.getvalue(), *frames]


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
    >>> decode(encode(("a", {1, 2})))
    ('a', {1, 2})
    """
    try:
        return pickle.loads(frames[0], buffers=frames[1:])
    except MemoryError:
        raise
    except Exception as error:
        raise DecodeError(explain_decoding(frames, error)) from error


def fingerprint(frames: Frames) -> str:
    """Return a hash of the frames' whole content: 128 bits as 32 lowercase hex digits.

    Equal fingerprints mean equal content. The reverse does not hold: equal values may be pickled in
    different ways, for instance when one of them shares objects and the other has copies.

    Parameters
    ----------
    frames
        What ``encode`` returned.

    Examples
    --------
    >>> fingerprint(encode("a")) == fingerprint(encode("a"))
    True
    >>> fingerprint([b"ab", b"c"]) == fingerprint([b"a", b"bc"])
    False
    """
    digest = blake2b(digest_size=16)
    for frame in frames:
        # The length in front of each frame keeps ["ab", "c"] apart from ["a", "bc"].
        digest.update(memoryview(frame).nbytes.to_bytes(8, "little"))
        digest.update(frame)
    return digest.hexdigest()
