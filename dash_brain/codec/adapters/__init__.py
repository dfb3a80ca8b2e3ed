"""What each library's values are taken apart into; one module per library, named as it is.

A module here is imported when the first value of its library is stored, and has two names:

- ``reducer(cls)`` returns the function that takes objects of a type apart, as ``object.__reduce__`` would,
  or None where the type's own pickling is right.
- ``SURE`` holds the library's types that can certainly be rebuilt. Values of other types are rebuilt once
  when they are stored: see :mod:`dash_brain.codec.proof`.

What rebuilds a value has a name in :mod:`dash_brain.codec.stable`.
"""
