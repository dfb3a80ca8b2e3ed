"""Turn a value into frames and back, exactly and without copying large buffers.

The first frame is a pickle stream of protocol 5, the others are its out-of-band buffers: views of the
value's own memory when encoding, views of the store's private mapping when decoding. What pickle alone
would copy into the stream, or forget, is taken apart by ``adapters``, one module per library, each loaded
when the first value of its library is met; ``register`` adds a type.

A class or function is stored by reference, as pickle does: the reader imports it from its module. One
that was defined in the script itself (``__main__``) can therefore be read only by processes that run the
same script; for all others ``decode`` says which class is missing and where to move it. There is no
fallback to serializers that store code.
"""

from __future__ import annotations

from dash_brain import floors
from dash_brain.codec.decoding import decode
from dash_brain.codec.encoding import encode
from dash_brain.codec.fingerprint import fingerprint
from dash_brain.codec.names import short_name, summary, type_name
from dash_brain.codec.reducers import register

__all__ = ["decode", "encode", "fingerprint", "register", "short_name", "summary", "type_name"]

floors.check()  # who imports from here may take no name of the package itself
