"""What is stored and read: a frame of numbers of any size, and one as it comes out of a database."""

from __future__ import annotations

import numpy as np
import pandas as pd

RANDOM = np.random.default_rng(0)


def numbers(megabytes: int) -> pd.DataFrame:
    """Return a frame of four columns of floats, each million bytes of it 31,250 rows."""
    return pd.DataFrame(RANDOM.random((megabytes * 31_250, 4)), columns=list("abcd"))


def orders(rows: int = 1_000_000) -> pd.DataFrame:
    """Return a frame with strings, dates and numbers; each string is an object of its own."""
    cities = np.array([f"City {number}" for number in range(50)])
    customers = np.array([f"customer-{number:06}" for number in range(100_000)])
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(RANDOM.integers(0, 2000, rows), unit="D"),
            "customer": pd.Series(RANDOM.choice(customers, rows).astype(object), dtype=object),
            "city": pd.Series(RANDOM.choice(cities, rows).astype(object), dtype=object),
            "pieces": RANDOM.integers(1, 100, rows),
            "price": RANDOM.random(rows),
        }
    )


def customers(rows: int = 1_000_000) -> pd.DataFrame:
    """Return a frame with a string of its own in each row."""
    names = [f"customer-{number:07}" for number in range(rows)]
    return pd.DataFrame({"customer": pd.Series(names, dtype=object)})
