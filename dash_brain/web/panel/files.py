"""A file of a value, for whoever wants to look into it.

Tables come as CSV: everything opens it, and columns of mixed objects do not make it fail, as they do Parquet.
Arrays come as ``.npy``, which is exact. All others have no file format but pickle, and a pickle file runs
code when it is opened.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

#: Bytes of the largest value of which a file is made: all of it is in memory at once, as text.
LARGEST = 256_000_000


class NoFile(Exception):
    """No file can be made of the value."""


class File(NamedTuple):
    """The end of its name, its media type, and what is in it."""

    suffix: str
    media_type: str
    content: bytes


def suffix_for(type_name: str, nbytes: int) -> str | None:
    """Return the end of the file's name for a value of a type; None: there is none for it.

    Examples
    --------
    >>> suffix_for("pandas.DataFrame", 1000), suffix_for("numpy.ndarray", 1000), suffix_for("dict", 1000)
    ('csv', 'npy', None)
    """
    known = _FORMATS.get(type_name)
    return None if known is None or nbytes > LARGEST else known[0]


def file_of(type_name: str, value: Any) -> File:
    """Return the file of a value of such a type.

    Raises
    ------
    NoFile
        When there is no format for it, or the format cannot hold what is in it.
    """
    if type_name not in _FORMATS:
        raise NoFile(type_name)
    suffix, write = _FORMATS[type_name]
    try:
        return File(suffix, _MEDIA_TYPES[suffix], write(value))
    except Exception as error:  # of another library: nested columns, arrays of objects
        raise NoFile(str(error)) from error


def _pandas_csv(value: Any) -> bytes:
    text: str = value.to_csv()
    return text.encode()


def _polars_csv(value: Any) -> bytes:
    frame = value if hasattr(value, "write_csv") else value.to_frame()
    text: str = frame.write_csv()
    return text.encode()


def _arrow_csv(value: Any) -> bytes:
    from pyarrow import csv  # type: ignore[import-untyped]

    csv.write_csv(value, written := io.BytesIO())
    return written.getvalue()


def _npy(value: Any) -> bytes:
    import numpy as np

    np.save(written := io.BytesIO(), value, allow_pickle=False)
    return written.getvalue()


_MEDIA_TYPES = {"csv": "text/csv", "npy": "application/octet-stream"}
_FORMATS: dict[str, tuple[str, Callable[[Any], bytes]]] = {
    "pandas.DataFrame": ("csv", _pandas_csv),
    "pandas.Series": ("csv", _pandas_csv),
    "polars.DataFrame": ("csv", _polars_csv),
    "polars.Series": ("csv", _polars_csv),
    "pyarrow.Table": ("csv", _arrow_csv),
    "numpy.ndarray": ("npy", _npy),
}
