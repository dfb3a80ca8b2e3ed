"""Sizes in bytes, as people write and read them."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?", re.IGNORECASE)
#: More than any machine has, and within 64 bits.
_MOST = 1 << 60
_UNITS = {
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}


def parse_size(size: int | str) -> int:
    """Return a number of bytes.

    Parameters
    ----------
    size
        A whole number of bytes, or a text with a unit: ``B``, ``KB``, ``MB``, ``GB``, ``TB`` (powers of
        1000), ``KiB``, ``MiB``, ``GiB``, ``TiB`` (powers of 1024).

    Raises
    ------
    ValueError
        For anything else, for less than one byte, and for more than an exbibyte.

    Examples
    --------
    >>> parse_size("2GiB"), parse_size("500 MB"), parse_size("1048576"), parse_size(1024)
    (2147483648, 500000000, 1048576, 1024)
    """
    found = _SIZE.fullmatch(str(size).strip()) if type(size) in (int, str) else None
    nbytes = float(found[1]) * _UNITS[(found[2] or "b").lower()] if found else 0.0
    if not 1 <= nbytes <= _MOST:
        raise ValueError(f"A size is a number of bytes like 2GiB, 500MB or 1048576, and not {size!r:.80}.")
    return int(nbytes)


def shown_size(nbytes: int) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> shown_size(32_000_000), shown_size(1500), shown_size(2)
    ('32.0 MB', '1.5 KB', '2 bytes')
    """
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "KB")):
        if nbytes >= 1000**power:
            return f"{nbytes / 1000**power:.1f} {unit}"
    return f"{nbytes} bytes"


def shown_time(seconds: float) -> str:
    """Return a span of time for people.

    Examples
    --------
    >>> shown_time(12.4), shown_time(200), shown_time(7300), shown_time(200_000)
    ('12 s', '3 minutes', '2 hours', '2 days')
    """
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
