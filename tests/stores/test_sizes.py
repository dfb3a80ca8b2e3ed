"""Sizes are written and read as people do."""

from __future__ import annotations

import pytest

from dash_brain.common.sizes import parse_size


@pytest.mark.parametrize(
    "size",
    [
        "",
        "GiB",
        "-1",
        "1 2",
        "1e9",
        "2 apples",
        "0",
        0,
        -5,
        1.5,
        None,
        True,
        "٣x",
        10**30,
        "9" * 400,
        "9999999TB",
    ],
)
def test_what_is_no_size_is_refused_with_what_is_one(size):
    with pytest.raises(ValueError, match="2GiB, 500MB or 1048576"):
        parse_size(size)
